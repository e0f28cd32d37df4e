"""A class of somebody's own, of which nobody here knows anything but that it has a cap."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase
from tests.models.vendors.what_went_wrong import ALL


class HouseModel(BaseChatModel):
    """Asks a server of the house by a library for HTTP, and cannot stream."""

    model: str
    base_url: str
    api_key: str = "none"
    max_tokens: int | None = None
    retries: int = 0

    @property
    def _llm_type(self) -> str:
        return "house"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "max_tokens": self.max_tokens}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return {"ls_provider": "xai", "ls_model_name": self.model, "ls_model_type": "chat"}

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Any:
        chosen = {"tool_choice": "required"} if tool_choice else {}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **chosen)

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        kwargs.pop("ls_structured_output_format", None)
        answer = httpx.post(
            f"{self.base_url}/chat/completions",
            headers={"authorization": f"Bearer {self.api_key}"},
            json={
                "model": self.model,
                "messages": convert_to_openai_messages(messages),
                **({} if self.max_tokens is None else {"max_tokens": self.max_tokens}),
                **({} if stop is None else {"stop": stop}),
                **kwargs,
            },
            timeout=None,
        )
        answer.raise_for_status()
        return ChatResult(generations=[ChatGeneration(message=_message(answer.json()))])


def _message(told: Any) -> AIMessage:
    choice, usage = told["choices"][0], told.get("usage")
    said = choice["message"]
    calls = [
        {
            "name": call["function"]["name"],
            "args": json.loads(call["function"]["arguments"]),
            "id": call["id"],
        }
        for call in said.get("tool_calls") or ()
    ]
    count = usage and {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
        "input_token_details": {"cache_read": usage["prompt_tokens_details"]["cached_tokens"]},
    }
    end = {"finish_reason": choice["finish_reason"], "model_name": told["model"]}
    return AIMessage(
        said["content"] or "", tool_calls=calls, usage_metadata=count, response_metadata=end
    )


def client(server: LLMServer, model: str = "grok-3", **options: Any) -> HouseModel:
    return HouseModel(**{"model": model, "base_url": server.base_url, **options})


OTHER = VendorCase(
    name="other",
    column="any other class",
    api="chat",
    client=client,
    prices=Prices(input=3_000, cached=750, output=15_000),
    output_tokens_max=4_096,
    input_slack_tokens=400,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by another name": ({}, {"num_predict": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "best_of": ({}, {"best_of": 2}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "what it has stored": ({}, {"previous_response_id": "resp_1"}),
        "web_search": ({}, {"tools": [{"type": "web_search"}]}),
    },
    unpriced={"our-model": ({"model": "our-model"}, {})},
    own_retries={"retries": 5},
    charged={"a newline in a header": ALL, "200 with a refusal and nothing else": ALL},
)
