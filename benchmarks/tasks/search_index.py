"""Ranks a few documents for a query, the same way on every machine.

BM25 as in S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"
(2009), section 3, with the logarithm of Lucene, which is never negative.
"""

import re
from collections import Counter
from collections.abc import Mapping
from math import log

SATURATION, LENGTH_WEIGHT = 1.2, 0.75
"""The usual k1 and b."""
NAME_WEIGHT = 3
"""A word in the name of a document counts as often as three in its text."""
STEM_LENGTH = 6
"""So much of a word counts: "Zimmer" finds "Zimmern"."""


def terms(text: str) -> list[str]:
    """What of a text counts: words and numbers, without their endings."""
    return [word[:STEM_LENGTH] for word in re.findall(r"\w{2,}", text.casefold())]


class SearchIndex:
    """Documents that can be searched."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        """With all documents.

        Args:
            documents: their texts by name. A name is searched, too.
        """
        self._counts = {
            name: Counter(terms(name) * NAME_WEIGHT + terms(text))
            for name, text in documents.items()
        }
        self._mean_length = sum(map(Counter.total, self._counts.values())) / len(documents)
        self._holders = Counter(term for counts in self._counts.values() for term in counts)

    def ranked(self, query: str) -> list[str]:
        """The names of the documents that have anything of a query, the best first."""
        wanted = dict.fromkeys(terms(query))
        scores = {n: sum(self._score(t, c) for t in wanted) for n, c in self._counts.items()}
        return sorted((n for n in scores if scores[n] > 0), key=lambda n: (-scores[n], n))

    def _score(self, term: str, counts: Counter[str]) -> float:
        often, holders = counts[term], self._holders[term]
        weight = log(1 + (len(self._counts) - holders + 0.5) / (holders + 0.5))
        length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * counts.total() / self._mean_length
        return weight * often * (SATURATION + 1) / (often + SATURATION * length)
