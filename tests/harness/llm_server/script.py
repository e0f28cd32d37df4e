"""What is played next, chosen safely from any thread."""

import threading

from tests.harness.llm_server.answers import Answer
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.journal import Request

Entry = Answer | Behaviour


class Script:
    """The entries still to be played, and the one for requests that none fits.

    An entry with a `when` goes before those without, so that it is not used up by another
    request; among equals, the first in is the first out.
    """

    def __init__(self, default: Entry) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._uses: list[int] = []
        self.default = default

    def add(self, *entries: Entry) -> None:
        """Append entries."""
        for entry in entries:
            if not isinstance(entry, Answer | Behaviour):
                raise TypeError(f"a script has Answers and Behaviours, not {entry!r}")
        with self._lock:
            self._entries += entries
            self._uses += [0] * len(entries)

    def clear(self) -> None:
        """Forget all entries; the default stays."""
        with self._lock:
            self._entries, self._uses = [], []

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The entries that still have a turn."""
        with self._lock:
            return tuple(self._entries)

    def pick(self, request: Request) -> Behaviour:
        """What answers this request; an entry that has had all its turns is gone."""
        with self._lock:
            entry = self._take(request)
        return Behaviour.playing(entry)

    def _take(self, request: Request) -> Entry:
        places = sorted(range(len(self._entries)), key=lambda p: self._entries[p].when is None)
        for place in places:
            entry = self._entries[place]
            if entry.fits(request):
                self._uses[place] += 1
                if self._uses[place] == entry.times:
                    del self._entries[place], self._uses[place]
                return entry
        return self.default
