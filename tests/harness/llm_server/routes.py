"""Which path is which API, and who may use it."""

import json
from dataclasses import dataclass

from tests.harness.llm_server.bedrock import bedrock_dialect
from tests.harness.llm_server.chat import ChatCompletions
from tests.harness.llm_server.completions import Completions
from tests.harness.llm_server.deepseek import DeepSeek
from tests.harness.llm_server.dialect import CREATED_AT_S, Dialect
from tests.harness.llm_server.embeddings import Embeddings
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.gemini import gemini_dialect
from tests.harness.llm_server.groq import Groq
from tests.harness.llm_server.http import Head
from tests.harness.llm_server.journal import KEY_HEADERS
from tests.harness.llm_server.messages import Messages
from tests.harness.llm_server.mistral import Mistral
from tests.harness.llm_server.ollama import Ollama
from tests.harness.llm_server.openrouter import OpenRouter
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.responses import Responses
from tests.harness.llm_server.xai import XAI

MODELS_USUAL = ("gpt-4.1", "gpt-4.1-mini")
MODELS_PATH = "/v1/models"
GOOGLE_MODELS_PATH = "/v1beta/models"
AZURE_PATH = "/openai/deployments/fleet"
"""Where Azure has what somebody has deployed there as "fleet"."""
AZURE_MODEL = "gpt-4o"
"""What chats there."""


class AzureChat(ChatCompletions):
    """Chat at a deployment of Azure's: its path says who is asked, and a body need not."""

    def read(self, body: JSON) -> Question:
        return super().read({**body, "model": body.get("model") or AZURE_MODEL})


DIALECTS: dict[str, Dialect] = {
    "/v1/chat/completions": ChatCompletions(),
    "/v1/responses": Responses(),
    "/v1/completions": Completions(),
    "/v1/messages": Messages(),
    "/api/v1/chat/completions": OpenRouter(),
    "/openai/v1/chat/completions": Groq(),
    "/mistral/v1/chat/completions": Mistral(),
    "/deepseek/chat/completions": DeepSeek(),
    "/xai/v1/chat/completions": XAI(),
    "/api/chat": Ollama(),
    "/v1/embeddings": Embeddings(),
    f"{AZURE_PATH}/embeddings": Embeddings(),
    f"{AZURE_PATH}/chat/completions": AzureChat(),
}


@dataclass(frozen=True)
class Routes:
    """What this server serves."""

    api_key: str | None = None
    """The only key that is let in; None lets everybody in."""
    models: tuple[str, ...] | None = None
    """The only models that there are; None takes any name."""

    def dialect(self, head: Head) -> Dialect | None:
        """The API that the request speaks; None is the list of models.

        Raises:
            Refused: no such path or method, or no valid key.
        """
        self._check_key(head)
        lists_models = head.path.startswith(f"{MODELS_PATH}/")
        lists_models = lists_models or head.path in (MODELS_PATH, GOOGLE_MODELS_PATH)
        dialect = _dialect(head.path)
        if not lists_models and dialect is None:
            raise Refused(f"Invalid URL ({head.method} {head.path})", status=404)
        if head.method != ("GET" if lists_models else "POST"):
            raise Refused(
                f"Not allowed to {head.method} on {head.path}. "
                "(HINT: Perhaps you meant to use a different HTTP method?)",
                status=405,
            )
        return None if lists_models else dialect

    def error(self, head: Head, refused: Refused) -> JSON:
        """The object that a client gets, as the API of its path writes it."""
        dialect = _dialect(head.path)
        return refused.as_json() if dialect is None else dialect.error(refused)

    def models_listed(self, head: Head) -> JSON:
        """The list of models, or the one that the path names."""
        if head.path == GOOGLE_MODELS_PATH:
            return {"models": [{"name": f"models/{each}"} for each in self.models or ()]}
        name = head.path.removeprefix(MODELS_PATH).strip("/")
        if name:
            self.check_model(name)
            return _model(name)
        return {"object": "list", "data": [_model(each) for each in self.models or MODELS_USUAL]}

    def question(self, dialect: Dialect, body: JSON) -> Question:
        """The question in the request's body.

        Raises:
            Refused: it is not valid, or there is no such model.
        """
        question = dialect.read(body)
        self.check_model(question.model)
        return question

    def check_model(self, name: str) -> None:
        """Refuse a model that there is not."""
        if self.models is not None and name not in self.models:
            raise Refused(
                f"The model `{name}` does not exist or you do not have access to it.",
                status=404,
                code="model_not_found",
            )

    def _check_key(self, head: Head) -> None:
        sent = next(filter(None, map(head.headers.get, KEY_HEADERS)), "")
        if self.api_key is not None and sent not in (f"Bearer {self.api_key}", self.api_key):
            said = "Incorrect API key provided." if sent else "You didn't provide an API key."
            raise Refused(said, status=401, code="invalid_api_key")


def _dialect(path: str) -> Dialect | None:
    return DIALECTS.get(path) or gemini_dialect(path) or bedrock_dialect(path)


def parsed(body: bytes) -> JSON:
    """The body as a JSON object.

    Raises:
        Refused: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(
            "We could not parse the JSON body of your request. The OpenAI API expects a JSON "
            f"payload, but what was sent was not valid JSON ({error})."
        ) from error
    if not isinstance(found, dict):
        raise Refused("The JSON body of your request must be an object.")
    return found


def _model(name: str) -> JSON:
    return {"id": name, "object": "model", "created": CREATED_AT_S, "owned_by": "tests"}
