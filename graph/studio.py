"""The graph that `langgraph.json` names: built from the environment, for Studio and servers."""

from thrifty.graph.build import create_budget_agent

graph = create_budget_agent()
