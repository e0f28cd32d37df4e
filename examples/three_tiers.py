"""Three tiers of models and local code: each budget buys the best mix of them.

Options of one step name a model each, by its role. The planner takes the strongest set that fits.
If a model turns out too dear on the way, its step goes to a cheaper one.

OPENAI_API_KEY=… python examples/three_tiers.py
"""

from thrifty import Receipt, Spend, Step, StepOption, create_budget_agent

MODELS = {"strong": "gpt-5", "middle": "gpt-5-mini", "cheap": "gpt-5-nano"}
TIERS = {  # role: what an answer is worth beside the strongest one's, tokens
    "strong": (1.0, 900),
    "middle": (0.8, 700),
    "cheap": (0.55, 600),
}
WORK = {  # step: what it is worth, and the assignment
    "Risks": (10.0, "Name the risks that could sink this task, each with a mitigation."),
    "Costs": (8.0, "Estimate what the work costs, and say on what that rests."),
    "Next steps": (6.0, "List who does what next week."),
}
LOCAL_SHARE = 0.3


def by_model(step: str, role: str) -> StepOption:
    worth, what = WORK[step]
    share, tokens = TIERS[role]
    estimate = Spend(tokens, 0, 2_000, 1)  # what it costs is known from the model's price
    payload = {"model": role}
    name = f"{step} ({role})"
    return StepOption(name, step, "llm", what, estimate, worth * share, payload=payload)


def by_code(step: str) -> StepOption:
    worth, what = WORK[step]
    name = f"{step} (local)"
    return StepOption(name, step, "local", what, Spend(0, 0, 20, 0), worth * LOCAL_SHARE)


RECIPE = [Step(s, (*(by_model(s, role) for role in TIERS), by_code(s))) for s in WORK]


def main() -> None:
    agent = create_budget_agent(catalog=RECIPE, models=MODELS)
    for dollars in (0.03, 0.006, 0.0004):
        given = {"task": "Move our office in May", "budget": {"max_cost_usd": dollars}}
        result = agent.invoke(given, context={"propose_options": False})
        receipt = Receipt.from_state(result["receipt"])
        print(f"${dollars}: worth {receipt.value:.1f}, ${receipt.spent.cost_nano_usd / 10**9:.6f}")
        for line in receipt.lines:
            print(f"  {line.status} {line.label}")


if __name__ == "__main__":
    main()
