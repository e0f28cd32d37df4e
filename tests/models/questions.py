"""What models are asked in more than one file."""

from langchain_core.tools import tool


@tool
def look_up(topic: str) -> str:
    """Looks up a topic in the encyclopedia, and returns the whole of the article on it."""
    return f"All about {topic}."
