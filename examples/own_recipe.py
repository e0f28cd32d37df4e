"""A recipe of your own, its steps and the ways to do each: a YAML file beside this one."""

from pathlib import Path

from thrifty import Plan, Receipt, create_budget_agent, load_recipe

RECIPE = Path(__file__).with_name("my_recipe.yaml")


def main() -> None:
    for step in load_recipe(RECIPE).steps:
        ways = ", ".join(f"{way.executor} (worth {way.value:g})" for way in step.options)
        print(f"{step.name}: {ways}")

    agent = create_budget_agent(catalog=RECIPE)
    task = "Announce version 2 of our logistics dashboard"
    result = agent.invoke({"task": task, "budget": {"max_tokens": 1500, "max_tool_calls": 1}})

    plan = Plan.from_state(result["plan"])
    for left in plan.left_out:
        print(f"left out: {left.option}, {left.reason}")
    receipt = Receipt.from_state(result["receipt"])
    print(f"{receipt.status}: worth {receipt.value:g}, {receipt.spent.tokens} tokens")
    print(result["draft"])


if __name__ == "__main__":
    main()
