"""The agent as a tool of a ReAct agent: each use of it is paid from one budget for all.

The ReAct agent decides when to write; what it may spend on writing is not its decision.
"""

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from thrifty import Budget, MemoryLedger, create_budget_agent

ledger = MemoryLedger()
ledger.open("writing", Budget(max_tokens=10_000, max_tool_calls=6))
writer = create_budget_agent(
    ledger=ledger, account="writing", budget=Budget(max_tokens=4_000, max_tool_calls=3)
)


@tool
def write_proposal(topic: str) -> str:
    """Writes a project proposal on a topic."""
    result = writer.invoke({"task": f"Draft a project proposal on {topic}"})
    return f"{result['draft']}\n\n({result['status']}, {result['spend']['tokens']} tokens)"


class ScriptedModel(GenericFakeChatModel):
    """Stands in for a chat model of yours, so that this example needs no key."""

    def bind_tools(self, tools: object, **kwargs: object) -> "ScriptedModel":
        return self


def model_of_yours() -> BaseChatModel:
    use = {"name": "write_proposal", "args": {"topic": "a fleet dashboard"}, "id": "1"}
    messages = [AIMessage("", tool_calls=[use]), AIMessage("Here is your proposal.")]
    return ScriptedModel(messages=iter(messages))


agent = create_agent(model_of_yours(), [write_proposal])
result = agent.invoke({"messages": [("user", "I need a proposal for a fleet dashboard.")]})
for message in result["messages"]:
    print(f"{message.type}: {message.text[:60]!r}")
print("tokens left for writing:", ledger.balance("writing").left.max_tokens)
