"""The nodes of the graph: file = function = name of the node; and the state they pass on."""
