"""The ways in which a chat model can be called, each as one function that returns the answer."""

import asyncio
from typing import Any

from tests.long_cases import long_but


async def collected(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


def joined(pieces: Any) -> Any:
    return sum(pieces[1:], pieces[0])


WAYS = {
    "invoke": lambda model, said: model.invoke(said),
    "ainvoke": lambda model, said: asyncio.run(model.ainvoke(said)),
    "batch": lambda model, said: model.batch([said])[0],
    "abatch": lambda model, said: asyncio.run(model.abatch([said]))[0],
    "stream": lambda model, said: joined(list(model.stream(said))),
    "astream": lambda model, said: joined(asyncio.run(collected(model.astream(said)))),
}
TWO_WAYS = ("invoke", "astream")
"""A whole answer, and one in pieces."""
EVERY_WAY = long_but(WAYS, *TWO_WAYS)
"""For what hardly depends on it: two are tried always, the others with `--long`."""
