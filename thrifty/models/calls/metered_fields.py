"""A metered model whose fields a call may choose, as LangChain's `configurable_fields` has it."""

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.configurable import RunnableConfigurableFields
from langchain_core.runnables.utils import ConfigurableFieldSpec


class MeteredFields(RunnableConfigurableFields):  # type: ignore[type-arg]
    """Makes the given model anew with the fields that a call chooses, and meters that."""

    given: Any
    """The model that is metered, with the fields."""
    meter: Callable[[Any], Any]
    """Meters another model like it."""

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What a call may choose."""
        specs: list[ConfigurableFieldSpec] = self.given.config_specs
        return specs

    def _prepare(
        self, config: RunnableConfig | None = None
    ) -> tuple[Runnable[Any, Any], RunnableConfig]:
        chosen, config = self.given._prepare(config)
        return (self.default if chosen is self.given.default else self.meter(chosen)), config
