"""Ways to spoil the reply of a model, each by a source of chance that a seed makes again."""

# ruff: noqa: RUF001 - letters that pass for others are what is asked about

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 3, 10**30, -(10**18), 1e308, -0.5),
    *(float("nan"), float("inf"), "", " ", "NaN", "9" * 400, "1e999", [], {}, [[]], {"a": {}}),
    *("\u202e", "\u200b", "\ud800", "\x00\x1b[2J", "$s1", "${Find prices}", "model", "mail"),
    *("answer", "section", "revision", ["s1", "s2", "s3"], [1, 2, 3], "s3", "x" * 5_000),
)
HIDDEN = "\u200b\u2060\u202e\u2066\ufeff\u00ad\u0007\ud800\U000e0041"
LOOK_ALIKES = str.maketrans("aeopcyxi", "аеорсухі")

Mutation = Callable[[Random, dict[str, Any]], object]


def spoil(random: Random, reply: dict[str, Any]) -> object:
    """A reply with a few things wrong, as data or as a text."""
    spoilt: object = copy.deepcopy(reply)
    for _ in range(random.randint(1, 4)):
        if isinstance(spoilt, dict) and isinstance(spoilt.get("steps"), list) and spoilt["steps"]:
            spoilt = random.choice(IN_DATA)(random, spoilt)
    if random.random() < 0.5:
        return spoilt
    return random.choice(IN_TEXT)(random, json.dumps(spoilt, ensure_ascii=random.random() < 0.5))


def _odd(random: Random) -> Any:
    return copy.deepcopy(random.choice(ODD))


def _steps(reply: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in reply["steps"] if isinstance(step, dict)]


def _set_field(random: Random, reply: dict[str, Any]) -> object:
    if steps := _steps(reply):
        step = random.choice(steps)
        step[random.choice([*step, "by", "needs", "model", "budget"])] = _odd(random)
    return reply


def _drop_field(random: Random, reply: dict[str, Any]) -> object:
    if steps := [step for step in _steps(reply) if step]:
        step = random.choice(steps)
        del step[random.choice([*step])]
    return reply


def _drop_field_everywhere(random: Random, reply: dict[str, Any]) -> object:
    name = random.choice(["id", "role", "name", "kind", "input", "importance", "executor"])
    for step in _steps(reply):
        step.pop(name, None)
    return reply


def _rename_field(random: Random, reply: dict[str, Any]) -> object:
    pairs = [("reads", "needs"), ("executor", "by"), ("words", "size"), ("name", "title")]
    old, new = random.choice(pairs)
    for step in _steps(reply):
        if old in step:
            step[new] = step.pop(old)
    return reply


def _repeat_step(random: Random, reply: dict[str, Any]) -> object:
    reply["steps"] += copy.deepcopy(random.choices(reply["steps"], k=random.choice([1, 2, 30])))
    return reply


def _shuffle(random: Random, reply: dict[str, Any]) -> object:
    random.shuffle(reply["steps"])
    return reply


def _drop_step(random: Random, reply: dict[str, Any]) -> object:
    reply["steps"].pop(random.randrange(len(reply["steps"])))
    return reply


def _odd_step(random: Random, reply: dict[str, Any]) -> object:
    reply["steps"].insert(random.randint(0, len(reply["steps"])), _odd(random))
    return reply


def _read_anything(random: Random, reply: dict[str, Any]) -> object:
    if steps := _steps(reply):
        ids = [step.get("id") for step in steps]
        random.choice(steps)["reads"] = [
            random.choice([*ids, _odd(random), 1, "report.md"]) for _ in range(5)
        ]
    return reply


def _circle(random: Random, reply: dict[str, Any]) -> object:
    steps = _steps(reply)
    for one, other in zip(steps, [*steps[1:], *steps[:1]], strict=True):
        one["reads"] = [other.get("id")]
    return reply


def _hide(random: Random, reply: dict[str, Any]) -> object:
    for step in _steps(reply):
        if isinstance(name := step.get(field := random.choice(["name", "instruction"])), str):
            place = random.randint(0, len(name))
            step[field] = name[:place] + random.choice(HIDDEN) + name[place:]
    return reply


def _look_alike(random: Random, reply: dict[str, Any]) -> object:
    if steps := _steps(reply):
        one, other = random.choice(steps), random.choice(steps)
        one["name"] = str(other.get("name")).translate(LOOK_ALIKES).upper()
    return reply


def _spoil_input(random: Random, reply: dict[str, Any]) -> object:
    if steps := _steps(reply):
        names = ["query", "rows", "city", "to", "text", "odd"]
        step = random.choice(steps)
        step["input"] = {
            random.choice(names): random.choice([_odd(random), "on $s1"]) for _ in range(3)
        }
        step["executor"] = random.choice(["search", "count", "weather", "mail", "clerk", "nobody"])
    return reply


def _nest(random: Random, reply: dict[str, Any]) -> object:
    nested: object = "x"
    for _ in range(random.choice([2, 30, 400])):
        nested = [nested] if random.random() < 0.5 else {"steps": nested}
    if steps := _steps(reply):
        random.choice(steps)[random.choice(["input", "reads", "name", "role"])] = nested
    return reply


def _wrap(random: Random, reply: dict[str, Any]) -> object:
    return random.choice([{"name": "plan_steps", "arguments": reply}, [reply], {"plan": reply}])


def _as_text(random: Random, reply: dict[str, Any]) -> object:
    return {**reply, "steps": json.dumps(reply["steps"])}


def _cut(random: Random, text: str) -> str:
    return text[: random.randint(len(text) // 2, len(text))]


def _surround(random: Random, text: str) -> str:
    before = random.choice(
        ["", "Sure! ", "```json\n", "{[ ", "<think>[1]</think>", "\ufeff", "x" * 9_999]
    )
    return f"{before}{text}{random.choice(['', chr(10) + '```', ' Done? }]', text, '[' * 9_999])}"


def _bite(random: Random, text: str) -> str:
    place = random.randrange(max(1, len(text)))
    return text[:place] + random.choice(["", ",", '"', "}", "NaN", "\x00"]) + text[place + 1 :]


def _dump(random: Random, text: str) -> str:
    return text


IN_DATA: tuple[Mutation, ...] = (
    *(_set_field, _set_field, _drop_field, _drop_field_everywhere, _rename_field, _repeat_step),
    *(_shuffle, _drop_step, _odd_step, _read_anything, _circle, _hide, _look_alike, _spoil_input),
    *(_nest, _wrap, _as_text),
)
IN_TEXT: tuple[Callable[[Random, str], str], ...] = (_cut, _surround, _surround, _bite, _dump)


def spoilt_replies(seed: int, count: int, *replies: dict[str, Any]) -> Iterator[object]:
    """So many spoilt replies."""
    random = Random(seed)
    for _ in range(count):
        yield spoil(random, random.choice(replies))
