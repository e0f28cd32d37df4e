"""A retriever finds passages, and the next step writes with them.

In place of `ByWords` put `vector_store.as_retriever()`. LangChain does not announce calls of
retrievers and embeddings, so the option says what one search costs.
"""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from thrifty import Receipt, Spend, Step, StepOption, create_budget_agent

PASSAGES = [
    "The depot in the north has 14 vehicles; six of them are older than ten years.",
    "Drivers report routes on paper, which the office types in on the next day.",
    "The canteen serves soup on Mondays.",
]


class ByWords(BaseRetriever):
    """The passages that share most words with the question."""

    most: int = 2

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        wanted = set(query.lower().split())
        ranked = sorted(PASSAGES, key=lambda passage: -len(wanted & set(passage.lower().split())))
        return [Document(passage) for passage in ranked[: self.most]]


SEARCH = StepOption(
    "Search", "Sources", "passages", "Finds what is known.", Spend(0, 2_000_000, 50, 1), 4.0
)
WRITE = StepOption(
    "Write", "Findings", "llm", "Say what the sources mean for the task.",
    Spend(700, 0, 2_000, 1), 8.0,
)  # fmt: skip
LIST = StepOption(
    "List", "Findings", "local", "List what follows.", Spend(0, 0, 20, 0), 3.0,
    payload={"template": "deliverables"},
)  # fmt: skip
RECIPE = [Step("Sources", (SEARCH,)), Step("Findings", (WRITE, LIST), requires=("Sources",))]


def main() -> None:
    agent = create_budget_agent(catalog=RECIPE, executors={"passages": ByWords()})
    budget = {"max_tokens": 2_000, "max_cost_usd": 0.05}
    result = agent.invoke({"task": "How old are the vehicles in the north depot", "budget": budget})
    print(result["draft"])
    for line in Receipt.from_state(result["receipt"]).lines:
        print(f"{line.label}: {line.actual.tool_calls} calls, {line.actual.cost_nano_usd} nano-USD")


if __name__ == "__main__":
    main()
