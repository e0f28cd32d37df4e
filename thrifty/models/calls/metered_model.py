"""A LangChain chat model whose every call is a metered one."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from thrifty.budget import InvalidInput
from thrifty.models.calls.allowance import Allowance
from thrifty.models.calls.last_answer import LastAnswer
from thrifty.models.calls.metered_call import Answer, MeteredCall
from thrifty.models.calls.metered_fields import MeteredFields
from thrifty.models.calls.reservation import CallAccounts
from thrifty.models.calls.whole_answers import WholeAnswers, cache_in_use
from thrifty.models.costs.prices import PriceList
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest

METERED = "thrifty-metered"
"""How the callback guard knows a call that is booked already."""
INHERITED = (
    *("callbacks", "tags", "metadata", "rate_limiter", "output_version", "profile", "cache"),
    *("custom_get_token_ids", "disable_streaming"),
)
"""What of the given model LangChain reads off this one."""

ADDRESS_WORDS = ("base", "deployment", "endpoint", "host", "region", "url")
"""What is in the name of a field that says where a vendor's model is asked."""

Stop = list[str] | None
"""Texts at which an answer is to end."""
ChooseAllowance = Callable[[VendorRequest], Allowance]
"""What a request may use, and where it is booked."""


class MeteredChatModel(BaseChatModel):
    """Delegates to a vendor's chat model, one reserved and capped call at a time.

    It is used as any other: `invoke`, `stream`, `batch`, their async forms, `bind_tools`, and shows
    the fields of the model that it was made of.
    `with_structured_output` always uses function calling, whose usage survives bad JSON.
    """

    output_version: str | None = None
    _model: Vendor = PrivateAttr()
    _choose: ChooseAllowance = PrivateAttr()
    _bounds: CallBounds = PrivateAttr()
    _prices: PriceList = PrivateAttr()

    def __init__(
        self, model: Vendor, choose: ChooseAllowance, bounds: CallBounds, prices: PriceList
    ) -> None:
        inherited = {}
        for name in INHERITED:
            if (value := getattr(model.given, name)) is not None:
                inherited[name] = value
        super().__init__(**inherited)
        self._model, self._choose, self._bounds, self._prices = model, choose, bounds, prices

    def keeping_back(self, last_answer: LastAnswer) -> "MeteredChatModel":
        """The same, which leaves alone what an answer takes that comes after each call."""

        def choose(request: VendorRequest) -> Allowance:
            return replace(self._choose(request), last_answer=last_answer)

        return MeteredChatModel(self._model, choose, self._bounds, self._prices)

    def configurable_fields(self, **fields: Any) -> MeteredFields:
        """Fields of the given model that a call may choose, such as its temperature.

        Raises:
            InvalidInput: a field says where it is asked.
            ValueError: the model has no such field.
        """
        for name in fields:
            if any(word in name for word in ADDRESS_WORDS):
                raise InvalidInput(name, "a field", "meter a model for each address")
        configurable: Any = self._model.given.configurable_fields(**fields)
        return MeteredFields(
            default=self, fields=fields, given=configurable, meter=self._meter_other
        )

    def _meter_other(self, given: BaseChatModel) -> "MeteredChatModel":
        model = type(self._model)(given)
        cap_max = self._bounds.output_tokens_max
        cap_max = min(cap_max, model.output_tokens_max or cap_max)
        bounds = replace(self._bounds, output_tokens_max=cap_max)
        return MeteredChatModel(model, self._choose, bounds, self._prices)

    def get_token_ids(self, text: str) -> list[int]:
        """As the given model counts."""
        ids: list[int] = self._model.described.get_token_ids(text)
        return ids

    def get_num_tokens(self, text: str) -> int:
        """As the given model counts. What is reserved is a bound, and no less than that."""
        count: int = self._model.described.get_num_tokens(text)
        return count

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], *given: Any, **options: Any
    ) -> int:
        """As the given model counts. Anthropic's asks its server, which costs nothing."""
        count: int = self._model.described.get_num_tokens_from_messages(messages, *given, **options)
        return count

    def __getattr__(self, name: str) -> Any:
        """A field of the given model, such as `model_name` or `temperature`.

        Raises:
            AttributeError: it has none, or it is a client, whose calls nobody would meter.
        """
        if name.startswith("_"):
            return super().__getattr__(name)  # type: ignore[misc]
        given = self._model.given
        if "client" in name and not name.startswith("http_"):
            told = f"{name!r} is not shown: its calls would not be metered; "
            raise AttributeError(f"{told}take it from the model that you have given")
        shown = getattr(given, name, None)
        if callable(shown) or not hasattr(given, name):
            raise AttributeError(f"{type(given).__name__} has no field {name!r}")
        return shown

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Binds tools as the model itself would."""
        return self.bind(**self._model.tool_options(tools, tool_choice=tool_choice, **kwargs))

    def _generate_with_cache(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        asked: Any = super(MeteredChatModel, self._caching_whole_answers())
        result: ChatResult = asked._generate_with_cache(messages, stop, run_manager, **kwargs)
        return result

    async def _agenerate_with_cache(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        asked: Any = super(MeteredChatModel, self._caching_whole_answers())
        result: ChatResult = await asked._agenerate_with_cache(
            messages, stop, run_manager, **kwargs
        )
        return result

    def _caching_whole_answers(self) -> "MeteredChatModel":
        if (cache := cache_in_use(self.cache)) is None:
            return self
        return self.model_copy(update={"cache": WholeAnswers(cache)})

    def _generate(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return _result(call.loop.run(call.ask))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return _result(await call.loop.arun(call.ask))

    def _stream(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        call = self._call(messages, stop, kwargs, run_manager)
        return call.loop.stream(call.ask)

    def _astream(
        self, messages: list[BaseMessage], stop: Stop = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        # Handed on, not iterated: of two generators, a loop that ends may close one in the other.
        call = self._call(messages, stop, kwargs, run_manager)
        return call.loop.astream(call.ask)

    def _call(
        self,
        messages: list[BaseMessage],
        stop: Stop,
        options: Mapping[str, Any],
        run_manager: Any,
    ) -> MeteredCall:
        request = self._model.request(messages, stop, options, self._bounds)
        accounts = CallAccounts.of(request, self._bounds, self._prices, self._choose(request))
        return MeteredCall(accounts, run_manager)

    @property
    def _llm_type(self) -> str:
        return METERED

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self._model.described._identifying_params
        return params

    def _get_invocation_params(self, stop: Stop = None, **kwargs: Any) -> dict[str, Any]:
        return {**self._model.described._get_invocation_params(stop, **kwargs), "_type": METERED}

    def _get_ls_params(self, stop: Stop = None, **kwargs: Any) -> Any:
        return self._model.described._get_ls_params(stop, **kwargs)


def _result(answer: Answer) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=answer.message)])
