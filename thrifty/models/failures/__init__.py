"""How a call failed: what the server said, what that costs, and whether to try again."""
