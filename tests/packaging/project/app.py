"""Runs the project's graph and says, as JSON, what it got and where each module came from."""

import json
import sys

import graph
import nodes
import prompts

limits = {"max_tokens": 1500, "max_latency_ms": 60_000}
case = graph.build().invoke({"question": "Draft a project plan for a tea party", "limits": limits})
output = {
    "keys": sorted(case),
    "answer": case["answer"],
    "status": case["receipt"]["status"],
    "budget": case["receipt"]["budget"],
    "own": {module.__name__: module.__file__ for module in (graph, nodes, prompts)},
    "thrifty": {
        name: module.__file__
        for name, module in sys.modules.items()
        if name == "thrifty" or name.startswith("thrifty.")
    },
}
print(json.dumps(output))
