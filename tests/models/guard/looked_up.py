"""A tool that an agent of these tests has, and what it was asked."""

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

ASK = {"messages": [HumanMessage("What is tea?")]}
made: list[str] = []
"""What was asked of tools, in order. The fixture `nothing_made` empties it."""


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    made.append(topic)
    return f"All about {topic}."
