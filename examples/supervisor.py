"""The agent as a worker under a supervisor: it takes its task from the messages.

The supervisor's model here is scripted, so that this example needs no key.
"""

import warnings

from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph_supervisor import create_supervisor

from thrifty import Budget, create_budget_agent

warnings.filterwarnings("ignore", message="create_react_agent has been moved")


class ScriptedModel(GenericFakeChatModel):
    """Stands in for a chat model of yours."""

    def bind_tools(self, tools: object, **kwargs: object) -> "ScriptedModel":
        return self


def model_of_yours() -> BaseChatModel:
    hand_over = {"name": "transfer_to_thrifty", "args": {}, "id": "1"}
    messages = [AIMessage("", tool_calls=[hand_over]), AIMessage("The proposal is ready.")]
    return ScriptedModel(messages=iter(messages))


writer = create_budget_agent(budget=Budget(max_tokens=4_000, max_tool_calls=3))
team = create_supervisor([writer], model=model_of_yours(), prompt="You lead a team.").compile()
result = team.invoke({"messages": [("user", "Draft a project proposal for a fleet dashboard.")]})
for message in result["messages"]:
    print(f"{message.type} {message.name or ''}: {message.text[:50]!r}")
