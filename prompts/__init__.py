"""The prompts: one Markdown file each, rendered strictly.

A placeholder is a name in double braces. A prompt that names something it is not given, or
is given something it does not name, is an error: both mean that prompt and caller disagree.
"""

import re
from collections.abc import Collection, Mapping
from importlib.resources import files

from thrifty.budget import InvalidInput

PLACEHOLDER = re.compile(r"\{\{ *(\w+) *\}\}")

SECTION_PLACEHOLDERS = frozenset({"task", "assignment", "results", "length"})
"""What every prompt that writes or revises is given."""
PROPOSAL_PLACEHOLDERS = frozenset({"task", "known", "executors", "values"})
"""What the prompt that asks for extra steps of a recipe is given."""
DECOMPOSITION_PLACEHOLDERS = frozenset({"task", "executors", "documents"})
"""What the prompt that asks in which steps a task is done is given."""
PLACEHOLDERS = {"propose": PROPOSAL_PLACEHOLDERS, "decompose": DECOMPOSITION_PLACEHOLDERS}
"""By name, what the prompts are given that write nothing."""


def load_prompt(name: str) -> str:
    """The text of `prompts/NAME.md`, its placeholders unfilled."""
    return files(__name__).joinpath(f"{name}.md").read_text("utf-8").strip()


def check_prompts(prompts: Mapping[str, str]) -> None:
    """Checks prompts, by their names, that somebody may have edited.

    Raises:
        InvalidInput: a prompt does not name exactly what it will be given.
    """
    for name, template in prompts.items():
        values = PLACEHOLDERS.get(name, SECTION_PLACEHOLDERS)
        check_placeholders(template, values, f"context.{name}_prompt")


def check_placeholders(template: str, values: Collection[str], field: str = "prompt") -> None:
    """Checks that a template names exactly these values.

    Raises:
        InvalidInput: a name is missing or unknown.
    """
    named = set(PLACEHOLDER.findall(template))
    if missing := sorted(set(values) - named):
        raise InvalidInput(field, template, f"add the placeholder {{{{ {missing[0]} }}}}")
    if unknown := sorted(named - set(values)):
        remedy = f"take out {{{{ {unknown[0]} }}}}; known names: {', '.join(sorted(values))}"
        raise InvalidInput(field, template, remedy)


def render_prompt(template: str, values: Mapping[str, str]) -> str:
    """Fills every placeholder; filled-in text is never looked at again.

    Raises:
        InvalidInput: the names in the template are not exactly the names of the values.
    """
    # Split once, so that what looks like a placeholder in a value stays as it is.
    parts = PLACEHOLDER.split(template)
    if {*parts[1::2]} != values.keys():
        check_placeholders(template, values)  # which says what is wrong
    parts[1::2] = map(values.__getitem__, parts[1::2])
    return "".join(parts)
