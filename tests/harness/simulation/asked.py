"""A request as it reached the provider, and what the provider takes for it."""

from dataclasses import dataclass, field

Place = tuple[str, str]
"""An account and the key of an entry in it."""


@dataclass(eq=False)
class Asked:
    """One request, and all that became of it."""

    number: int
    model: str
    digest: str
    """Of what it asks: the fingerprint under which a call of the agent's is entered."""
    input_tokens: int
    """As the provider counts them."""
    cap: int | None
    cost_per_token: tuple[int, int]
    places: list[Place] = field(default_factory=list)
    """The entries that stand for it: the call's own, and that of the step in whose code it is."""
    own: Place | None = None
    """The entry of this very call; None where it is a part of what a step's entry stands for."""
    output_tokens: int = 0
    is_billed: bool = False
    is_cut: bool = False
    is_told: bool = False
    """Whether the agent was told what it used, in a way to believe."""
    broke_its_cap: bool = False

    @property
    def tokens(self) -> int:
        """What is billed."""
        return self.input_tokens + self.output_tokens if self.is_billed else 0

    @property
    def cost_nano_usd(self) -> int:
        """What is billed."""
        return self._cost(self.output_tokens) if self.is_billed else 0

    @property
    def worst_tokens(self) -> int:
        """The most that can be billed by a provider that keeps to the cap."""
        return self.input_tokens + (self.cap or 0)

    @property
    def worst_cost_nano_usd(self) -> int:
        """The most that can be billed by a provider that keeps to the cap."""
        return self._cost(self.cap or 0)

    def _cost(self, output_tokens: int) -> int:
        per_input, per_output = self.cost_per_token
        return self.input_tokens * per_input + output_tokens * per_output
