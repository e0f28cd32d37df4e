"""The solver: a knapsack model, its bounds, and the searches that choose a plan."""
