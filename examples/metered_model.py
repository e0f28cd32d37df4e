"""A chat model of your own chain that cannot spend more than its account has."""

import os

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from thrifty import Budget, BudgetExceeded, MemoryLedger, metered

KEY = os.environ.get("OPENAI_API_KEY", "")
SERVER = os.environ.get("OPENAI_BASE_URL")
MODEL = os.environ.get("MODEL", "gpt-4o-mini")

ledger = MemoryLedger()  # SqliteLedger("spend.sqlite") and PostgresLedger outlive the process
ledger.open("team", Budget(max_tokens=600, max_tool_calls=3, max_latency_ms=30_000))

# Under a name of its own a run that starts again is given the answers it has paid for.
model = metered(
    ChatOpenAI(model=MODEL, api_key=KEY or "none", base_url=SERVER),
    ledger,
    "team",
    run="tea-2026",
    max_output_tokens=150,
)
chain = ChatPromptTemplate.from_template("In one sentence: {question}") | model


def main() -> None:
    try:
        # Its worst case is more than the account has, so this is refused before it is sent.
        model.invoke("Read this: " + "tea " * 700)
    except BudgetExceeded as error:
        print(f"not sent: {error}")

    if KEY or SERVER:
        print(chain.invoke({"question": "what is tea?"}).text)
        for piece in chain.stream({"question": "where is it grown?"}):
            print(piece.text, end="|")
        print()
        for entry in ledger.entries("team"):
            print(f"{entry.label}: {entry.reserved.tokens} reserved, {entry.charged.tokens} used")

    balance = ledger.balance("team")
    print(f"left: {balance.left.max_tokens} tokens, {balance.left.max_tool_calls} calls")


if __name__ == "__main__":
    main()
