"""The text of an answer while a model writes it: its last lines, above the live status."""

from rich.text import Text

from thrifty.budget.plain_text import strip_unprintable

LINES_MAX = 12
CHARACTERS_MAX = 1_200
"""Of what was written, so much is shown. The whole of it follows at the end."""


class LiveText:
    """What one message has said so far. Text from a model reaches the screen as plain text."""

    def __init__(self) -> None:
        self._message_id: str | None = None
        self._written = ""

    def add(self, message_id: str | None, piece: str) -> None:
        """Takes in the next piece. A message of another attempt begins anew."""
        if message_id != self._message_id:
            self._message_id, self._written = message_id, ""
        self._written += piece

    def clear(self) -> None:
        """Shows nothing more, as the answer is whole or was given up."""
        self._message_id, self._written = None, ""

    def render(self) -> Text | None:
        """The last lines, for the screen. None where nothing was written yet."""
        shown = strip_unprintable(self._written[-CHARACTERS_MAX:]).strip("\n")
        return Text("\n".join(shown.splitlines()[-LINES_MAX:])) if shown else None
