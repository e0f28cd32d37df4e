"""What a call can cost and has cost: tokens bounded and counted, prices, fees."""
