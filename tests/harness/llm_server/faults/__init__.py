"""The ways in which providers fail, each a Behaviour that differs from the honest one.

ErrorStatus: TooManyRequests, ServerError, Unauthorized,
Overloaded                                                  an error object; not billed
RefusedField                                                an error where a field is unknown
ErrorForAnswer, WebPage, Redirect                           something else than an answer
BlockedPrompt                                               a filter, and no answer (Gemini)
Hang, HeaderDrip, BodyDrip, KeepAlives, EndlessStream       slow, or without end
TruncatedStream, ResetMidAnswer, Reset, MalformedJson       lost or broken on the way
MissingUsage, ZeroUsage, NegativeUsage, ClaimedUsage        says something else than it used
ReasoningApart, RunningUsage                                says it in another way than most
OverCap, LongAnswer                                         generates more than it was allowed
ChatTemplate                                                reads more than it was sent

Where the model did its work the bill is due, even if the client never got the answer: that is the
truth which a ledger must not fall below. `billed=False` is for a provider that lost the work too.
"""

from tests.harness.llm_server.faults.broken import (
    MalformedJson,
    Reset,
    ResetMidAnswer,
    TruncatedStream,
)
from tests.harness.llm_server.faults.error_status import (
    ErrorStatus,
    Overloaded,
    RefusedField,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from tests.harness.llm_server.faults.excess import ChatTemplate, LongAnswer, OverCap
from tests.harness.llm_server.faults.false_usage import (
    ClaimedUsage,
    MissingUsage,
    NegativeUsage,
    ReasoningApart,
    RunningUsage,
    ZeroUsage,
)
from tests.harness.llm_server.faults.no_answer import ErrorForAnswer, Redirect, WebPage
from tests.harness.llm_server.faults.slow import (
    BodyDrip,
    EndlessStream,
    Hang,
    HeaderDrip,
    KeepAlives,
)
from tests.harness.llm_server.faults.withheld import BlockedPrompt

__all__ = [
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
    "LongAnswer",
    "MalformedJson",
    "MissingUsage",
    "NegativeUsage",
    "OverCap",
    "Overloaded",
    "ReasoningApart",
    "Redirect",
    "RefusedField",
    "Reset",
    "ResetMidAnswer",
    "RunningUsage",
    "ServerError",
    "TooManyRequests",
    "TruncatedStream",
    "Unauthorized",
    "WebPage",
    "ZeroUsage",
]
