"""Who keeps to a budget: thrifty and its peers before one meter. See benchmarks/overshoot.md."""
