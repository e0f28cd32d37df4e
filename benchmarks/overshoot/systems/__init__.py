"""The systems: each module holds a run to a budget, as that system's own documentation says."""
