"""What to set where a server refuses a field that is sent to it unasked.

Servers that speak like OpenAI's differ in which fields they take: the output cap by its newer name,
the effort of reasoning, the count of a stream.
"""

import re

from thrifty.models.failures.server_error import ServerError

REFUSED_STATUSES = (400, 404, 422)
UNKNOWN = re.compile(
    r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs?|fields?)"
    r"|extra_forbidden|not (?:permitted|allowed)|cannot find field|does not support|invalid field"
)
"""How a server says that it does not know a field. That a value is too large is another matter."""
EFFORT = "set another effort, or name the model as ChatOpenAI(…) without any"
REMEDIES = (
    ("max_completion_tokens", 'set cap_field="max_tokens"'),
    ("max_tokens", 'set cap_field="max_completion_tokens"'),
    ("reasoning_effort", EFFORT),
    ("reasoning.effort", EFFORT),
    ("reasoning", EFFORT),
    ("stream_options", "do not stream: ChatOpenAI(disable_streaming=True)"),
    ("service_tier", 'say it yourself: ChatOpenAI(service_tier="auto")'),
)


def refused_field_remedy(said: ServerError) -> str:
    """What to set, where a server does not know a field that thrifty sends; empty elsewhere."""
    if said.status not in REFUSED_STATUSES:
        return ""
    if not UNKNOWN.search(" ".join((*said.codes, said.message))):
        return ""
    for field, remedy in REMEDIES:
        if _names(said, field):
            return remedy
    return ""


def _names(said: ServerError, field: str) -> bool:
    """Whether it is that field: by the parameter where one is named, else by the first named."""
    if said.param:
        return said.param == field
    known = "|".join(re.escape(name) for name, _ in REMEDIES)
    first = re.search(rf"(?<![\w.])(?:body\.)?({known})(?![\w])", said.message)
    return first is not None and first[1] == field
