"""A tiny ledger to compare the real ones with: no counters, everything is summed up anew."""

from dataclasses import dataclass, field

Amounts = tuple[int, int, int]
"""Tokens, nano-USD and calls: what a ledger limits."""
Limits = tuple[int | None, int | None, int | None]


@dataclass
class Call:
    """A call in the model."""

    run: str
    status: str
    reserved: Amounts
    charged: Amounts = (0, 0, 0)


@dataclass
class Account:
    """An account in the model."""

    limits: Limits
    parent: str = ""
    is_returned: bool = False
    calls: dict[str, Call] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    """Of each run that was taken; negative once it was left."""


class Model:
    """Accounts by their names."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    def children(self, name: str) -> list[str]:
        return [child for child, account in self.accounts.items() if account.parent == name]

    def spent(self, name: str) -> Amounts:
        """Its own calls and all that its sub-agents spent."""
        own = [call.charged for call in self.accounts[name].calls.values()]
        return _sum([*own, *(self.spent(child) for child in self.children(name))])

    def held(self, name: str) -> Amounts:
        """Its open calls, and what its open sub-agents may still cost."""
        calls = self.accounts[name].calls.values()
        own = [call.reserved for call in calls if call.status in ("unsent", "pending")]
        return _sum([*own, *(self.share(child) for child in self.children(name))])

    def share(self, child: str) -> Amounts:
        """What a sub-agent may still spend of each resource that it has a limit in."""
        account = self.accounts[child]
        if account.is_returned:
            return (0, 0, 0)
        resources = zip(account.limits, self.spent(child), self.held(child), strict=True)
        tokens, cost, calls = (
            0 if limit is None else max(limit - spent, held) for limit, spent, held in resources
        )
        return max(0, tokens), max(0, cost), max(0, calls)

    def excess(self, name: str, more: Amounts) -> Amounts:
        """By how much so much more would pass each limit."""
        taken = _sum([self.spent(name), self.held(name), more])
        tokens, cost, calls = (
            0 if limit is None else max(0, amount - limit)
            for limit, amount in zip(self.accounts[name].limits, taken, strict=True)
        )
        return tokens, cost, calls

    def fits(self, name: str, more: Amounts) -> bool:
        """Whether so much more can be reserved."""
        return not any(self.excess(name, more))

    def can_grant(self, name: str, more: Amounts) -> bool:
        """The same for a share: what is over already is no hindrance where it takes nothing."""
        return not any(m and e for m, e in zip(more, self.excess(name, more), strict=True))

    def give_up(self, name: str, run: str | None = None) -> None:
        """What a take-over makes of open calls."""
        for call in self.accounts[name].calls.values():
            if run not in (None, call.run):
                continue
            if call.status == "unsent":
                call.status = "released"
            elif call.status == "pending":
                call.status, call.charged = "in_doubt", call.reserved

    def reclaim(self, child: str) -> None:
        """Closes an account and all below it."""
        for grandchild in self.children(child):
            if not self.accounts[grandchild].is_returned:
                self.reclaim(grandchild)
        self.give_up(child)
        self.accounts[child].is_returned = True
        self.shut_returned()

    def shut_returned(self) -> None:
        """Leaves nothing in accounts that were reclaimed, whatever their doubts came to."""
        for name, account in self.accounts.items():
            if account.is_returned:
                tokens, cost, calls = (
                    spent if limit is None else min(limit, spent)
                    for limit, spent in zip(account.limits, self.spent(name), strict=True)
                )
                account.limits = tokens, cost, calls


def _sum(amounts: list[Amounts]) -> Amounts:
    tokens, cost, calls = (sum(column) for column in zip((0, 0, 0), *amounts, strict=True))
    return tokens, cost, calls
