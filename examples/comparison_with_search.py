"""A comparison with a search tool: a model takes the task apart into a search for each product, and
an answer that reads what they found. The receipt says what that brought, and what it came to.

OPENAI_API_KEY=… python examples/comparison_with_search.py
"""

from langchain_core.tools import tool

from thrifty import Plan, Receipt, create_budget_agent, receipt_text

TASK = (
    "Compare the cargo bikes Norra Long, Kestrel Duo and Brick 60 for a family with two children "
    "and a hill on the way to school: price, load, range, warranty. Say which one to buy."
)
PAGES = {
    "Norra Long, data sheet": "4,990 euros. Load 200 kg with the rider. Battery of 545 Wh.",
    "Norra Long, test": "On hills the battery lasted for 41 km. Warranty: frame 5 years, rest 2.",
    "Kestrel Duo, test": "5,690 euros. It carries 220 kg. 725 Wh lasted for 62 km of hills. "
    "Warranty: frame 5 years, battery 3.",
    "Brick 60, test": "3,890 euros, 180 kg, 400 Wh: on hills it was empty after 28 km. "
    "Warranty: 2 years for everything.",
    "Rain covers, a guide": "They cost 120 to 240 euros and fit most cargo bikes.",
}


@tool
def search(query: str) -> str:
    """Searches tests and data sheets of bikes. Ask for one bike at a time, by its name."""
    # Put your own here: an index, a database, an API.
    asked = query.lower()
    found = [title for title in PAGES if title.split(",")[0].lower() in asked]
    return "\n".join(f"{title}: {PAGES[title]}" for title in found) or "Nothing was found."


def main() -> None:
    # As an executor it does steps. With tools=[search] a model may call it by itself as well.
    agent = create_budget_agent(executors={"search": search})
    given = {"task": TASK, "budget": {"max_tokens": 60_000, "max_tool_calls": 10}}
    result = agent.invoke(given, context={"max_concurrency": 3})  # searches side by side
    print(result["answer"], "\n")
    print(receipt_text(Receipt.from_state(result["receipt"])), "\n")
    for left in Plan.from_state(result["plan"]).left_out:
        print(f"Left out: {left.option}: {left.reason}.")


if __name__ == "__main__":
    main()
