"""What is told of model calls to those who record them."""
