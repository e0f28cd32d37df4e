"""The nodes of the graph, one file and one function each, and the state that they pass on."""
