"""`thrifty run`: does the task within the budget, and says what it does."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from thrifty.budget import Budget, Plan
from thrifty.cli.draft_file import DraftFile
from thrifty.cli.edge import debug_option
from thrifty.cli.exit_codes import TABLE, exit_code
from thrifty.cli.limits import ENVIRONMENT, shared_options
from thrifty.cli.live import folded, notices
from thrifty.cli.partial import partial_draft
from thrifty.cli.progress import Progress
from thrifty.cli.request import Request, read_request
from thrifty.cli.result import Result
from thrifty.cli.screen import Screen, opening
from thrifty.cli.stoppable import stoppable
from thrifty.receipt.record import Receipt
from thrifty.receipt.text import plan_view

EPILOG = f"""\b
Examples:
  thrifty run "Draft a project proposal" --max-tokens 2200 --max-tool-calls 2
  thrifty run @brief.md --max-cost-usd 0.05 --output proposal.md
  echo "Plan our move" | thrifty run - --json | jq .receipt.spent
  thrifty run "Plan our move" --base-url http://localhost:11434/v1 --model llama3

At a terminal all is shown there. In a pipe, standard output gets the draft and the
receipt (--quiet: the draft alone; --json: one object), and standard error the rest.

{TABLE}

{ENVIRONMENT}
"""


@click.command(epilog=EPILOG)
@shared_options
@click.option("--quiet", "-q", is_flag=True, help="The draft alone.")
@click.option("--output", "-o", metavar="FILE", help="Write the draft to a file instead.")
@debug_option
def run(**given: Any) -> int:
    """Do a task within a budget.

    TASK is the text of the task, - for standard input, or @FILE. Without any limit the
    agent's default budget holds: 8,000 tokens, 60 seconds and 8 calls.
    """
    request = read_request(given)
    file = DraftFile.of(given["output"])
    screen = Screen.of(as_json=given["as_json"], quiet=given["quiet"])
    result = Result(screen, file, as_json=given["as_json"], is_quiet=given["quiet"])
    for line in opening(request):
        screen.news.print(line)
    known: dict[str, Any] = {}
    try:
        with Progress(screen.news) as progress:
            for update in stoppable(_updates(request)):
                known = folded(known, update)
                _tell(update, known, progress)
    except KeyboardInterrupt:
        draft = partial_draft(known, request.catalog.steps)
        raise KeyboardInterrupt(result.show_interrupted(draft)) from None
    result.show(known)
    return exit_code(Receipt.from_state(known["receipt"]))


def _updates(request: Request) -> Iterator[Mapping[str, Any]]:
    from thrifty.graph.build import create_budget_agent  # LangGraph takes a second or two

    agent = create_budget_agent(
        budget=request.budget, catalog=request.catalog, settings=request.settings
    )
    asked: Any = {"task": request.task, "budget": request.budget.to_state()}
    yield from agent.stream(asked, context=request.context, stream_mode="updates")


def _tell(update: Mapping[str, Any], known: Mapping[str, Any], progress: Progress) -> None:
    """The plan when it is first made, and every notice."""
    if "first_plan" in update.get("plan", {}):
        budget = Budget.from_state(known["run"]["budget"])
        progress.print(plan_view(Plan.from_state(known["plan"]), budget))
    for notice in notices(update):
        progress.show(notice)
