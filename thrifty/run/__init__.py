"""What the nodes of a run share. It knows no graph, no node and no prompt."""
