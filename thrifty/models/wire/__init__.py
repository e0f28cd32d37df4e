"""What all calls share on their way: connections, the loop they run on, what is seen of each."""
