"""Checkpoints that outlive processes, in a store whose writes fail now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver

if TYPE_CHECKING:
    from tests.harness.simulation.world import World


class CheckpointLost(Exception):
    """A checkpoint could not be written."""


class SimulatedSaver(InMemorySaver):
    """LangGraph's saver, whose every write is an event of the simulation."""

    def __init__(self, world: World, failing: float) -> None:
        super().__init__()
        self._world, self._failing = world, failing

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self._event("put")
        saved = super().put(config, checkpoint, metadata, new_versions)
        self._world.reach("")
        return saved

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        self._event("put_writes")
        super().put_writes(config, writes, task_id, task_path)
        self._world.reach("")

    def get_tuple(self, config: Any) -> Any:
        self._world.reach_quietly()
        return super().get_tuple(config)

    def _event(self, act: str) -> None:
        self._world.reach(act)
        if self._world.chance(self._failing):
            self._world.fail(f"the checkpointer fails at {act}")
            raise CheckpointLost(f"simulated: {act} failed")
