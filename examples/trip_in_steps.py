"""A trip, in German: a model takes the task apart, two look-ups find trains and rooms, and the
answer is written from what they found. The receipt says what each part cost, and why it was done.

OPENAI_API_KEY=… python examples/trip_in_steps.py
"""

from langchain_core.tools import tool

from thrifty import Receipt, create_budget_agent, receipt_text

TASK = (
    "Plane ein Wochenende in Wismar für zwei, ab Berlin, höchstens 300 Euro, mit Bahn und Zimmer."
)
TRAINS = {"Wismar": "RE 2, Sa 8:35 ab Berlin Hbf, an 11:21, 39 Euro je Person; zurück So 16:34."}
ROOMS = {"Wismar": "Pension am Alten Hafen, Doppelzimmer, 88 Euro mit Frühstück, Sa bis So frei."}


@tool
def zugsuche(ziel: str) -> str:
    """Sucht Zugverbindungen von Berlin zu einem Ziel, mit Preis."""
    return TRAINS.get(ziel, "Keine Verbindung gefunden.")


@tool
def zimmersuche(ort: str) -> str:
    """Sucht freie Zimmer in einem Ort, mit Preis."""
    return ROOMS.get(ort, "Kein Zimmer gefunden.")


def main() -> None:
    agent = create_budget_agent(
        models={"strong": "gpt-5", "cheap": "gpt-5-mini"},
        # As executors they do steps. With tools=[…] a model may call them by itself as well.
        executors={"zugsuche": zugsuche, "zimmersuche": zimmersuche},
    )
    given = {"task": TASK, "budget": {"max_tokens": 80_000, "max_cost_usd": 0.5}}
    result = agent.invoke(given)
    print(result["answer"], "\n")
    print(receipt_text(Receipt.from_state(result["receipt"])))


if __name__ == "__main__":
    main()
