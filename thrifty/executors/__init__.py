"""Who does the work: local code, a model, or whatever the user registered."""
