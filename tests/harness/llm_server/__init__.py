"""A real HTTP server on loopback that speaks the APIs of many vendors, for tests.

It listens on a free port of 127.0.0.1 and answers `POST /v1/chat/completions`,
`POST /v1/responses`, `POST /v1/messages`, Gemini's `generateContent` and Bedrock's `converse`
(streamed or not), `POST /v1/completions`, `POST /v1/embeddings` and `GET /v1/models`. Below paths
of their own stand the APIs of Groq, Mistral, DeepSeek, xAI, OpenRouter and Ollama (`routes.py`).
Answers are scripted, token counts are true (o200k; `usage.py` says what is counted, for embeddings
`embeddings.py`, and for other vendors the file of each), output caps are obeyed, and faults come on
command (`faults/`). `server.bill` is what a provider would charge, even for answers that got lost.

    with LLMServer() as server:
        server.script(Answer("Plan: ..."), TooManyRequests(retry_after_s=50))
        server.script(Answer("Risks: ...", when="risk", times=None))
        model = ChatOpenAI(model="gpt-4.1", base_url=server.base_url, api_key="none")
        ...
        assert ledger.spent.tokens == server.bill.total_tokens

From a terminal: `python -m tests.harness.llm_server --help`.
"""

from tests.harness.llm_server.answers import Answer, ToolCall
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.faults import (
    BlockedPrompt,
    BodyDrip,
    ChatTemplate,
    ClaimedUsage,
    EndlessStream,
    ErrorForAnswer,
    ErrorStatus,
    Hang,
    HeaderDrip,
    KeepAlives,
    LongAnswer,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    OverCap,
    Overloaded,
    ReasoningApart,
    Redirect,
    RefusedField,
    Reset,
    ResetMidAnswer,
    RunningUsage,
    ServerError,
    TooManyRequests,
    TruncatedStream,
    Unauthorized,
    WebPage,
    ZeroUsage,
)
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.server import LLMServer
from tests.harness.llm_server.usage import Bill

__all__ = [
    "Answer",
    "Behaviour",
    "Bill",
    "BlockedPrompt",
    "BodyDrip",
    "ChatTemplate",
    "ClaimedUsage",
    "EndlessStream",
    "ErrorForAnswer",
    "ErrorStatus",
    "Hang",
    "HeaderDrip",
    "KeepAlives",
    "LLMServer",
    "LongAnswer",
    "MalformedJson",
    "MissingUsage",
    "NegativeUsage",
    "OverCap",
    "Overloaded",
    "ReasoningApart",
    "Redirect",
    "RefusedField",
    "Request",
    "Reset",
    "ResetMidAnswer",
    "RunningUsage",
    "ServerError",
    "TooManyRequests",
    "ToolCall",
    "TruncatedStream",
    "Unauthorized",
    "WebPage",
    "ZeroUsage",
]
