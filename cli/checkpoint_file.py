"""What commands share: the checkpoints of a run, in a file of data that nothing is run from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from thrifty.budget import InvalidInput
from thrifty.cli.private_files import make_private_file


class CheckedSqliteSaver(SqliteSaver):
    """A file of checkpoints; a damaged one is refused, and never read in part."""

    def get_tuple(self, config: Any) -> Any:
        try:
            saved = super().get_tuple(config)
            if saved is None or "channel_values" in saved.checkpoint:
                return saved
        except (NotImplementedError, TypeError, ValueError):  # how unreadable rows end
            pass
        run = config["configurable"]["thread_id"]
        raise InvalidInput("run", run, "start it anew: its checkpoints are damaged")


@contextmanager
def open_checkpoints(file: Path) -> Iterator[SqliteSaver]:
    """Opens the file of checkpoints."""
    make_private_file(file)
    with CheckedSqliteSaver.from_conn_string(str(file)) as saver:
        # Anybody may have changed the file: only LangGraph's own safe types are read back.
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        yield saver
