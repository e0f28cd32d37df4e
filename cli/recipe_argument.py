"""What commands share: the recipe that `--recipe` names, one of thrifty's or one in a file."""

from pathlib import Path
from typing import NamedTuple

import click

from thrifty.budget import InvalidInput
from thrifty.options.recipe import ANSWER, PROPOSAL, Recipe, load_recipe

NO_SUCH_RECIPE = f"use {PROPOSAL}, {ANSWER}, or a recipe's file; see `thrifty options --yaml`"

own_recipe_option = click.option(
    "--recipe", metavar="NAME|FILE", help=f"`{PROPOSAL}`, or a YAML file of your own.  [{PROPOSAL}]"
)
"""Of a command about a recipe, whatever the task."""


class NamedRecipe(NamedTuple):
    """What a person named."""

    name: str = ""
    """What the run is to follow. Empty: what its task asks for."""
    own: Recipe | None = None
    """The recipe in a file. None: one that thrifty brings along."""


def read_recipe_argument(given: str | None) -> NamedRecipe:
    """The recipe that was named, which is then followed whatever the task says.

    Raises:
        InvalidInput: there is none of that name, or the file holds something no plan can use.
    """
    if given in (None, ANSWER, PROPOSAL):
        return NamedRecipe(given or "")
    own = read_recipe_to_show(given)
    return NamedRecipe(own.name, own)


def read_recipe_to_show(given: str | None) -> Recipe:
    """The recipe that was named, by default `proposal`.

    Raises:
        InvalidInput: as above, or it is `answer`, which has no steps of its own.
    """
    if given is None or given == PROPOSAL:
        return load_recipe(PROPOSAL)
    path = Path(given).expanduser()
    if given == ANSWER or not (path.suffix or path.exists() or len(path.parts) > 1):
        raise InvalidInput("recipe", given, NO_SUCH_RECIPE)
    return load_recipe(path)
