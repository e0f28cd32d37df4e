"""The prompts: one Markdown file each, rendered strictly.

A placeholder is a name in double braces. A prompt that names something it is not given, or
is given something it does not name, is an error: both mean that prompt and caller disagree.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

from thrifty.budget import InvalidInput

PLACEHOLDER = re.compile(r"\{\{ *(\w+) *\}\}")


def load(name: str) -> str:
    """The text of `prompts/NAME.md`, its placeholders unfilled."""
    return files(__name__).joinpath(f"{name}.md").read_text("utf-8").strip()


def render(template: str, values: Mapping[str, str], field: str = "prompt") -> str:
    """Fills every placeholder; filled-in text is never looked at again.

    Raises:
        InvalidInput: the names in the template are not exactly the names of the values.
    """
    named = set(PLACEHOLDER.findall(template))
    if named != set(values):
        missing = sorted(set(values) - named)
        unknown = sorted(named - set(values))
        wrong = f"add {missing}" if missing else f"take out {unknown}"
        raise InvalidInput(field, template, f"{wrong}; it must name exactly {sorted(values)}")
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)
