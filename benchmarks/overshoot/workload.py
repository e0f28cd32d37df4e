"""What every system is asked to do, and what it costs: agents whose loop never ends by itself.

Only the standard library is imported here, since the peers live in an environment of their own.
"""

import random
from dataclasses import asdict, dataclass
from typing import Any

MODEL = "gpt-4o"
INPUT_NANO_USD, OUTPUT_NANO_USD = 2_500, 10_000
"""OpenAI's list price of gpt-4o, a token; every peer's own price list says the same."""
PROMPT_TOKENS = 500
MESSAGE_TOKENS = 7
"""What the provider adds around a prompt of one message; part of the 500."""
MEDIAN_TOKENS, SIGMA = 300, 1.1
OUTPUT_TOKENS_MAX = 16_384
"""The longest answer of gpt-4o, and the highest cap that its API takes."""
NANO_PER_USD = 1_000_000_000
SEED = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the experiment."""

    cap_usd: str
    """The budget of a run; a text, so that nobody rounds it."""
    callers: int
    max_tokens: int | None
    """What the agents themselves send as output cap."""
    useful_tokens: int = 100
    """The shortest answer that is of use to the agents; only thrifty can be told."""
    vendor: str = ""
    """Whose model is asked, as the tests call the vendor. Empty: OpenAI's, at the prices here."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def cap_nano_usd(self) -> int:
        return round(float(self.cap_usd) * NANO_PER_USD)

    @property
    def calls_per_budget(self) -> float:
        """How many calls of average length the budget pays for."""
        sample = [answer_tokens("average", number) for number in range(20_000)]
        mean = sum(min(tokens, self.max_tokens or OUTPUT_TOKENS_MAX) for tokens in sample)
        return self.cap_nano_usd / cost_nano_usd(PROMPT_TOKENS, mean / len(sample))


def cost_nano_usd(input_tokens: int, output_tokens: float) -> float:
    """The price of a call."""
    return input_tokens * INPUT_NANO_USD + output_tokens * OUTPUT_NANO_USD


def answer_tokens(run: str, number: int) -> int:
    """How long the answer to a run's call would be without a cap: the same for every system."""
    rng = random.Random(f"{SEED}/{run}/{number}")
    tokens = round(MEDIAN_TOKENS * rng.lognormvariate(0, SIGMA))
    return min(max(1, tokens), OUTPUT_TOKENS_MAX)


class AgentStopped(Exception):
    """The system let a caller do no more."""

    def __init__(self, final: bool = True) -> None:
        super().__init__()
        self.final = final
        """Nobody has a call to come in this run; else, others may."""
