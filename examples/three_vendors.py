"""Models of three vendors in one run: each step goes to the one that suits it, all on one bill.

Ollama runs on your own machine, and costs nothing.

OPENAI_API_KEY=… ANTHROPIC_API_KEY=… python examples/three_vendors.py
"""

from thrifty import Receipt, Spend, Step, StepOption, create_budget_agent

MODELS = {
    "strong": "openai:gpt-5",
    "cheap": "anthropic:claude-haiku-4-5",
    "local": "ollama:qwen3",
}
WORK = {  # step: the assignment
    "Risks": "Name the risks that could sink this task, each with a mitigation.",
    "Costs": "Estimate what the work costs, and say on what that rests.",
    "Next steps": "List who does what next week.",
}
WORTH = {  # step: what it is worth by each role
    "Risks": {"strong": 10.0, "cheap": 6.0, "local": 3.0},
    "Costs": {"strong": 4.0, "cheap": 5.0, "local": 2.0},
    "Next steps": {"strong": 2.0, "cheap": 2.0, "local": 2.0},
}
DOLLARS = 0.015
NEEDED = "Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start Ollama: ollama run qwen3"


def by_model(step: str, role: str) -> StepOption:
    estimate = Spend(800, 0, 2_000, 1)  # what it costs is known from the model's price
    name, worth = f"{step} ({role})", WORTH[step][role]
    return StepOption(name, step, "llm", WORK[step], estimate, worth, payload={"model": role})


RECIPE = [Step(step, tuple(by_model(step, role) for role in MODELS)) for step in WORK]


def main() -> None:
    agent = create_budget_agent(catalog=RECIPE, models=MODELS)
    given = {"task": "Move our office in May", "budget": {"max_cost_usd": DOLLARS}}
    result = agent.invoke(given, context={"propose_options": False})
    receipt = Receipt.from_state(result["receipt"])
    for line in receipt.lines:
        dollars = line.actual.cost_nano_usd / 10**9
        print(f"{line.status} {line.label}: {line.actual.tokens} tokens, ${dollars:.6f}")
    if receipt.halt_reason:
        print(f"why: {receipt.halt_reason}\n{NEEDED}")
    print(f"{receipt.status}: ${receipt.spent.cost_nano_usd / 10**9:.6f} of ${DOLLARS}")


if __name__ == "__main__":
    main()
