"""What commands share: the argument that names a kept run, and how a shell completes it."""

from collections.abc import Sequence
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from thrifty.budget import ThriftyError
from thrifty.budget.plain_text import single_line
from thrifty.cli.saved_runs import LATEST, RunsFolder
from thrifty.settings import home_folder

RUN_ARGUMENT_HELP = (
    "RUN is the name that `thrifty runs` shows, or its beginning; `last` is the newest."
)


def complete_run_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> Sequence[CompletionItem]:
    """The runs whose names begin so, the newest first, each with its task."""
    with suppress(ThriftyError):  # a shell that completes a word shows no errors
        # As it is: nothing is made, or made the user's alone, while a word is completed.
        home = RunsFolder(home_folder())
        runs = [run for run in home.runs() if run.id.startswith(incomplete)]
        return [CompletionItem(run.id, help=single_line(run.task)) for run in runs]
    return []


run_argument = click.argument(
    "name", metavar="[RUN]", default=LATEST, shell_complete=complete_run_name
)
"""Of a command about one run: the newest, unless another is named."""
