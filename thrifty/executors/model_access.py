"""Which model may be asked for an option, and at what price."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from thrifty.budget import ModelUnavailable, StepOption
from thrifty.executors.payload import is_conversation
from thrifty.executors.registry import AGENT, LLM, LOCAL, MODEL_EXECUTORS
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.steering.forecast import ExecutorModel

ROLE_FIELD = "model"
"""Where an option's payload names its model role."""
ATTACHMENTS_FIELD = "attachments"
"""Where it says how many images and files are sent."""
NO_BOUND = "nobody said what an image or a file can be: Model(…, tokens_per_attachment=1_500)"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """What decides whether a model can be asked, and what it costs."""

    roles: ModelRoles
    """The deployment's models."""
    is_cost_limited: bool
    """Whether money is limited: then what has no price cannot be had."""
    is_token_limited: bool = True
    """Whether tokens are: then what has no bound cannot be sent."""
    chosen: str = ""
    """The role of options that name none, where the run has chosen one."""

    def role_of(self, option: StepOption) -> ModelRole:
        """The model role that would carry out an option: its own, or the run's, or `strong`."""
        # What the payload of another executor calls a model is that executor's affair.
        asks = option.executor in MODEL_EXECUTORS
        named = option.payload.get(ROLE_FIELD) if asks else ""
        return self.roles[str(named or self.chosen or self.roles.strong)]

    def executor_model(self, option: StepOption) -> ExecutorModel:
        """Who would carry out an option."""
        asks = option.executor in MODEL_EXECUTORS
        return ExecutorModel(option.executor, self.role_of(option).model if asks else "")

    def executor_label(self, option: StepOption) -> str:
        """Who would carry out an option, for a person."""
        if option.executor == LOCAL:
            return "the local template"
        if option.executor == AGENT:
            return f"{self.role_of(option).label} with tools"
        return self.role_of(option).label if option.executor == LLM else option.executor

    def worker(self, option: StepOption) -> str:
        """What can be out of order, so that no other option of it is tried: an executor, or the
        model of a role."""
        return (
            model_worker(self.role_of(option).name)
            if option.executor in MODEL_EXECUTORS
            else option.executor
        )

    def worker_label(self, option: StepOption) -> str:
        """The same for a person."""
        asks = option.executor in MODEL_EXECUTORS
        return self.role_of(option).label if asks else option.executor

    def unavailable_reason(self, option: StepOption) -> str:
        """Why an option is not available; empty when it is."""
        if option.executor not in MODEL_EXECUTORS:
            return ""
        role = self.role_of(option)
        if role.is_offline:
            return role.offline_reason
        if reason := self._unasked_reason(option, role):
            return reason
        if not self.is_cost_limited:
            return ""
        return role.undeclared_fee or role.prices.why_unknown(role.model)

    def lacks_model(self, option: StepOption) -> bool:
        """Whether a model would do an option, and cannot be reached."""
        return option.executor in MODEL_EXECUTORS and self.role_of(option).is_offline

    def lacks_price(self, option: StepOption) -> bool:
        """Whether a model would do an option, and nobody knows what it costs where that counts."""
        if option.executor not in MODEL_EXECUTORS or not self.is_cost_limited:
            return False
        role = self.role_of(option)
        return bool(role.prices.why_unknown(role.model))

    def _unasked_reason(self, option: StepOption, role: ModelRole) -> str:
        """Why a model that could answer is not asked; empty where it is."""
        is_answer = option.executor == AGENT or is_conversation(option)
        if is_answer and self.chosen not in ("", role.name):
            return f"the run has chosen the model role {self.chosen!r}"
        is_unbounded = option.payload.get(ATTACHMENTS_FIELD) and role.tokens_per_attachment is None
        return NO_BOUND if is_unbounded and (self.is_cost_limited or self.is_token_limited) else ""


def model_worker(role: str) -> str:
    """What an outcome calls the model of a role that is out of order."""
    return f"{LLM}:{role}"


def lost_model(option: StepOption, error: Exception) -> dict[str, Any]:
    """What an error of an agent with tools says of its model, as fields of its outcome."""
    if option.executor != AGENT or not isinstance(error, ModelUnavailable):
        return {}
    disables = model_worker(str(option.payload[ROLE_FIELD])) if error.for_good else ""
    return {"disables": disables, "is_unanswered": True}


def check_roles(options: Iterable[StepOption], roles: ModelRoles) -> None:
    """Checks that every model role that options name is there.

    Raises:
        InvalidInput: one is not; it names those that are.
    """
    for option in options:
        if option.executor == LLM and ROLE_FIELD in option.payload:
            where = f"option {option.name!r}.payload.{ROLE_FIELD}"
            roles.check(where, option.payload[ROLE_FIELD])
