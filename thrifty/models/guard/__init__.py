"""What holds the calls of other people's code to a budget."""
