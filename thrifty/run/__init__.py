"""What the nodes of a run share; it knows no graph, no node and no prompt."""
