"""What the graph itself costs: a budgeted run beside a bare LangGraph loop with the same calls."""
