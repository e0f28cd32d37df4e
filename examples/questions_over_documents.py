"""Questions over documents. What fits is handed over whole, and one call reads all of it. What does
not fit stays behind a retriever, and a model says what to look for before another one answers.

OPENAI_API_KEY=… python examples/questions_over_documents.py
"""

import re
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from thrifty import Executor, Receipt, create_budget_agent, receipt_text

FOLDER = Path(__file__).parents[1] / "docs"  # put your own here
QUESTION = "My process was killed while a model answered. Who pays, and how does the run go on?"


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))


class Passages(BaseRetriever):
    """The lines that share most words with a query. Put `vector_store.as_retriever()` here."""

    most: int = 5

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        pages = [page.read_text("utf-8") for page in sorted(FOLDER.glob("*.md"))]
        wanted = words_of(query)

        def score(line: str) -> float:
            words = words_of(line)
            return len(words & wanted) / (30 + len(words))  # a short line has fewer by chance

        found = sorted(dict.fromkeys("\n".join(pages).splitlines()), key=score, reverse=True)
        return [Document(line) for line in found[: self.most]]


def ask(agent: Any, **documents: str) -> None:
    budget = {"max_tokens": 80_000}
    result = agent.invoke({"task": QUESTION, "budget": budget, "documents": documents})
    print(result["answer"], "\n")
    print(receipt_text(Receipt.from_state(result["receipt"])), "\n")


def main() -> None:
    print("== One page, whole\n")
    ask(create_budget_agent(), Questions=(FOLDER / "faq.md").read_text("utf-8"))
    print("== All pages, behind a retriever\n")
    search = Executor(Passages(), description="Finds passages of the manual.", output_tokens=500)
    ask(create_budget_agent(executors={"search": search}))


if __name__ == "__main__":
    main()
