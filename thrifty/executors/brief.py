"""Reads a task: what is wanted, about what, with which parts, within which limits.

No grammar, only a few patterns of how people ask, and a safe answer where none fits: then the
task as a whole is the subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from thrifty.executors.parts import read_parts, without_parts
from thrifty.executors.playbook import PREPOSITIONS, Kind, head_first, playbook, singular
from thrifty.executors.quantities import Quantities, read_quantities, without_quantities
from thrifty.executors.words import capital, clean, cut, listed, one_line

READ_MAX = 4_000
"""How much of a task is read, in characters: what is wanted stands at its beginning."""

TITLE_MAX = 90
SUBJECT_MAX = 48
SUBJECTS_MAX = 4
END_MARKS = " .,;:!?-"
LEADING = PREPOSITIONS | {"a", "an", "and", "but", "each", "my", "no", "or", "our", "per", "the"}
"""Words that lead to another, and end nothing."""

_VERBS = (
    "add", "adopt", "analyse", "analyze", "arrange", "assess", "audit", "automate", "book",
    "build", "buy", "celebrate", "choose", "collect", "compare", "compile", "compose", "conduct",
    "consolidate", "convert", "coordinate", "create", "decide", "define", "deploy", "describe",
    "design", "develop", "draft", "edit", "establish", "estimate", "evaluate", "explain",
    "explore", "find", "fix", "furnish", "gather", "generate", "grow", "hire", "host", "implement",
    "improve", "increase", "install", "integrate", "introduce", "investigate", "launch", "learn",
    "make", "migrate", "move", "negotiate", "optimise", "optimize", "organise", "organize",
    "outline", "plan", "port", "prepare", "prioritise", "prioritize", "produce", "promote",
    "proofread", "propose", "raise", "recommend", "recruit", "redesign", "reduce", "refactor",
    "relocate", "remodel", "renovate", "reorganise", "reorganize", "repair", "replace", "research",
    "restore", "restructure", "review", "rewrite", "run", "select", "sell", "set", "simplify",
    "sketch", "start", "streamline", "study", "suggest", "summarise", "summarize", "switch",
    "teach", "test", "train", "translate", "update", "upgrade", "write",
)  # fmt: skip

_POLITE = re.compile(
    r"^(?:please|kindly|hi|hello|hey|thanks|(?:can|could|would|will) you|let'?s"
    r"|help (?:me|us)(?: to)?|(?:i|we)(?:'d| would)? (?:need|want|like|have)(?: you)?(?: to)?"
    r"|(?:the|your) task is to|task|todo)\b[\s,:]*",
    re.IGNORECASE,
)
_VERB = re.compile(
    rf"^((?:{'|'.join(_VERBS)}|open(?!\s+source)|clean(?=\s+(?:up|out)))\b(?:\s+(?:up|out)\b)?)"
    r"\s*(?:(?:me|us)\b\s*)?",
    re.IGNORECASE,
)
_ARTICLE = re.compile(
    r"^(?:(?:an?|the|our|my|your|their|some|this|that|its)\b\s*)+(?=\S)", re.IGNORECASE
)
_ABOUT = re.compile(
    r"\s+(about|regarding|concerning|on|for|of|to|explaining|describing|announcing)\s+",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?;:](?:\s|$)")
_CLAUSE = re.compile(
    r"[.!?;:](?:\s|$)|,?\s+(?:that|which|who|so that|because|since|while|using|with|without|such as"
    r"|where|when|if|as we|in order to|aimed at|based on)\s|\s[-\u2013\u2014]\s|\n",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s*(?:[+&]|,(?!\d)|\s/\s|\s(?:and|plus|as well as)\s)\s*(?:and\s+)?", re.IGNORECASE
)
_TOPIC_FIRST = re.compile(r"\s+(for)\s+", re.IGNORECASE)
_AUDIENCE_FIRST = re.compile(
    r"\s+(about|announcing|concerning|describing|explaining|regarding)\s+", re.IGNORECASE
)
_LEADS_IN = re.compile(r"^(?:about|for|on|to|with)\s+", re.IGNORECASE)
"""Between a verb and its subject: "prepare for the interview"."""
_POINTER = re.compile(r"^(?:it|this|that|these|them|following|below)$", re.IGNORECASE)
_COMMAND = re.compile(r"^(?:be|make|keep|do|don't|use|include|add)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a task asks for."""

    task: str
    """The task on one line, cleaned, as far as it was read."""
    kind: Kind
    """The kind of work it is."""
    title: str
    """What it is about, in a few words."""
    verb: str = ""
    """What is to be done, in lower case: "draft"; empty when the task does not begin with it."""
    document: str = ""
    """The text that is wanted: "project proposal"; empty when the result is no text."""
    audience: str = ""
    """For whom, when the task says it beside the subject."""
    subjects: tuple[str, ...] = ()
    """The things it is about, at least one."""
    parts: tuple[str, ...] = ()
    """The parts that were asked for by name: "scope", "risks"."""
    quantities: Quantities = field(default_factory=Quantities)
    """Times, money, people and sizes that the task states."""

    @property
    def wanted(self) -> str:
        """What is handed over, in words: "project proposal (1 page)", "result (500 words)"."""
        size = self.quantities.size
        return (self.document or "result") + (f" ({size})" if size else "")

    @property
    def about(self) -> str:
        """The subjects in words; empty when the task names only the text that is wanted."""
        return "" if self.subjects == (cut(self.document, SUBJECT_MAX),) else listed(self.subjects)

    @property
    def is_writing(self) -> bool:
        """Whether the text itself is the work."""
        return self.kind.name == "writing"


@lru_cache(maxsize=64)
def read_brief(task: str) -> Brief:
    """Reads a task of any length and language."""
    text = clean(task[:READ_MAX]).strip()
    parts = read_parts(text)
    quantities = read_quantities(one_line(text))
    verb, rest = _verb_and_rest(_ask(text))
    rest = _ended(without_quantities(one_line(without_parts(rest))))
    document, topic, audience = _document(rest)
    subjects = _subjects(topic, split=bool(document) or "+" in topic)
    about = listed(subjects or (document,)) if document else f"{verb} {rest}".strip()
    whole = cut(one_line(text), TITLE_MAX)
    return Brief(
        task=one_line(text),
        kind=_kind(verb, document, topic),
        title=capital(cut(_SENTENCE_END.split(about)[0], TITLE_MAX)) or whole or "Untitled",
        verb=verb,
        document=document,
        audience=audience,
        subjects=subjects
        or (cut(document, SUBJECT_MAX) or ("the text given" if verb else "result"),),
        parts=parts,
        quantities=quantities,
    )


def _ask(text: str) -> str:
    """The sentence that says what to do: the first that begins with a known verb, else the first.

    A list that follows it belongs to it.
    """
    sentences = [s for s in re.split(r"(?<=[.!?])\s+|\n\s*\n|\n(?![\s\-*•\d])", text) if s.strip()]
    for sentence in sentences[:20]:
        if _verb_and_rest(sentence)[0]:
            return sentence
    return sentences[0] if sentences else ""


def _verb_and_rest(sentence: str) -> tuple[str, str]:
    rest = sentence.strip(" \n#*-\"'“")
    while polite := _POLITE.match(rest):
        rest = rest[polite.end() :]
    if verb := _VERB.match(rest):
        return verb.group(1).lower(), rest[verb.end() :]
    return "", rest


def _ended(rest: str) -> str:
    """Without what led to a quantity that was taken out: "a used car for [under $8,000]"."""
    rest = rest.strip(END_MARKS)
    while rest.rpartition(" ")[2].lower() in LEADING:
        rest = rest.rpartition(" ")[0].rstrip(END_MARKS)
    return rest


def _document(rest: str) -> tuple[str, str, str]:
    """The text that is wanted, what it is about, and for whom; no text: the rest is the topic."""
    head, preposition, tail = _split_at(_ABOUT, rest)
    name = _CLAUSE.split(_ARTICLE.sub("", head))[0].strip(" ,")
    words = name.split()
    if not words or len(words) > 6 or singular(words[-1]) not in playbook().documents:
        return "", rest, ""
    if preposition in ("for", "to"):
        audience, found, topic = _split_at(_AUDIENCE_FIRST, tail)
    else:
        topic, found, audience = _split_at(_TOPIC_FIRST, tail)
    return (name, topic, cut(_phrase(audience), SUBJECT_MAX)) if found else (name, tail, "")


def _split_at(pattern: re.Pattern[str], text: str) -> tuple[str, str, str]:
    match = pattern.search(text)
    if not match:
        return text, "", ""
    return text[: match.start()], match.group(1).lower(), text[match.end() :]


def _phrase(text: str) -> str:
    """A noun phrase, without its article and without the clauses that follow it."""
    return _ARTICLE.sub("", _ended(_CLAUSE.split(text)[0])).strip(" ,\"'")


def _subjects(topic: str, *, split: bool) -> tuple[str, ...]:
    phrase = _LEADS_IN.sub("", _CLAUSE.split(topic)[0] or topic)
    members = _AND.split(phrase) if split else [phrase]
    subjects = [_phrase(member) for member in members]
    # What is as long as a sentence was not understood, and reads badly as a name.
    names = ["result" if len(subject) > SUBJECT_MAX else subject for subject in subjects]
    # "about tea, and be brief": what follows the first and commands is no subject.
    names = names[:1] + [name for name in names[1:] if not _COMMAND.match(name)]
    unique = {name.casefold(): name for name in names if name and not _POINTER.match(name)}
    return tuple(unique.values())[:SUBJECTS_MAX]


def _kind(verb: str, document: str, topic: str) -> Kind:
    """By the text that is wanted, then by the words nearest to the front."""
    book = playbook()
    writing = book.kind("writing")
    document_kind = book.documents.get(singular(document.split()[-1])) if document else None
    # To write a plan is to plan; to translate or to shorten one is to write.
    if document_kind == "writing" or (document and verb != "write" and verb in writing.words):
        return writing
    words = [singular(word) for word in (*head_first(topic)[:12], *document.split())]
    known = frozenset(words)
    for word in words if document else _by_weight(verb, words, topic):
        for kind in book.kinds:
            if kind.is_meant(word, known) and not (
                document and kind.name in ("writing", "research")
            ):
                return kind
    return book.kind("project" if document else "general")


def _by_weight(verb: str, words: list[str], topic: str) -> list[str]:
    """The words of a task, what says most of its kind first."""
    verb = verb.split(" ")[0]
    if verb in playbook().kind("project").words:  # "plan" and "create" say nothing
        return [*words, verb]
    if verb == "write" and not _LEADS_IN.match(topic):  # "unit tests", not "about our tests"
        return [*words[:1], verb, *words[1:]]
    return [verb, *words]
