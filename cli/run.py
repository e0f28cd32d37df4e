"""`thrifty run`: does the task within the budget, and says what it does."""

import json
from typing import Any

import click
from rich.markdown import Markdown
from rich.rule import Rule

from thrifty.budget import Budget, Plan
from thrifty.budget.plain_text import plain
from thrifty.cli.draft_file import DraftFile
from thrifty.cli.edge import debug_option
from thrifty.cli.exit_codes import DONE, TABLE, exit_code
from thrifty.cli.limits import ENVIRONMENT, shared_options
from thrifty.cli.live import folded, notices
from thrifty.cli.partial import partial_draft
from thrifty.cli.progress import Progress
from thrifty.cli.request import Request, read_request
from thrifty.cli.screen import Screen, opening
from thrifty.receipt import words
from thrifty.receipt.record import Receipt
from thrifty.receipt.text import plan_view, receipt_view

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
RESULT_FIELDS = ("draft", "status", "spend", "plan", "receipt")


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
    for line in opening(request):
        screen.news.print(line)
    known = _follow(request, screen, file)
    receipt = Receipt.from_state(known["receipt"])
    if file:
        file.write(known["draft"])
    if given["as_json"]:
        result = {field: known[field] for field in RESULT_FIELDS}
        click.echo(json.dumps(result, indent=2, allow_nan=False))
    else:
        _show(known["draft"], receipt, screen, file, is_quiet=given["quiet"])
    return exit_code(receipt)


def _follow(request: Request, screen: Screen, file: DraftFile | None) -> dict[str, Any]:
    """Runs the agent and tells what happens; returns the state at the end."""
    known: dict[str, Any] = {}
    try:
        with Progress(screen.news) as progress:
            for update in _updates(request):
                known = folded(known, update)
                if "first_plan" in update.get("plan", {}):
                    plan = Plan.from_state(known["plan"])
                    progress.print(plan_view(plan, Budget.from_state(known["run"]["budget"])))
                for notice in notices(update):
                    progress.show(notice)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_kept(known, request, screen, file)) from None
    return known


def _updates(request: Request) -> Any:
    from thrifty.graph.build import create_budget_agent  # LangGraph takes a second or two

    agent = create_budget_agent(
        budget=request.budget, catalog=request.catalog, settings=request.settings
    )
    asked: Any = {"task": request.task, "budget": request.budget.to_state()}
    return agent.stream(asked, context=request.context, stream_mode="updates")


def _show(
    draft: str, receipt: Receipt, screen: Screen, file: DraftFile | None, *, is_quiet: bool
) -> None:
    result = screen.result
    if draft and not file:
        if result.is_terminal and not is_quiet:
            result.print("", Rule("Draft", style="dim"), sep="\n")
            result.print(Markdown(plain(draft), hyperlinks=False))
        else:
            click.echo(plain(draft))
    if is_quiet:
        if exit_code(receipt) != DONE:
            click.echo(f"thrifty: {words.verdict(receipt)}", err=True)
        return
    result.print("", Rule("Receipt", style="dim"), receipt_view(receipt, result.width), sep="\n")
    if file and draft:
        result.print(f"Draft written to {file.name}.", soft_wrap=True)


def _kept(known: dict[str, Any], request: Request, screen: Screen, file: DraftFile | None) -> str:
    """Saves what an interrupted run has written so far, and says so."""
    draft = partial_draft(known, request.catalog.steps)
    if not draft:
        return "nothing was finished"
    if file:
        file.write(draft)
        return f"what was finished is in {file.name}"
    click.echo(plain(draft))
    return "what was finished is above"
