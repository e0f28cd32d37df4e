"""The checkpoints of a run, in a file that holds data and nothing that could be run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from thrifty.budget import InvalidInput


class CheckedSqliteSaver(SqliteSaver):
    """A file of checkpoints, each of which is read whole or refused."""

    def get_tuple(self, config: Any) -> Any:
        try:
            found = super().get_tuple(config)
            if found is None or "channel_values" in found.checkpoint:
                return found
        except (NotImplementedError, TypeError, ValueError):  # how unreadable rows end
            pass
        run = config["configurable"]["thread_id"]
        raise InvalidInput("run", run, "start it anew: its checkpoints are damaged")


@contextmanager
def open_checkpoints(file: Path) -> Iterator[SqliteSaver]:
    """Opens the file; what is not on LangGraph's own list of safe types is not read back."""
    with CheckedSqliteSaver.from_conn_string(str(file)) as saver:
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        yield saver
