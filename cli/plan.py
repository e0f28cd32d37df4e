"""`thrifty plan`: what a run would set out to do; nothing is called and nothing is spent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from thrifty.cli.bill_history import read_bills_for
from thrifty.cli.error_reporting import debug_option
from thrifty.cli.exit_codes import DONE, NOTHING_DONE
from thrifty.cli.run_request import RunRequest, read_request
from thrifty.cli.shared_options import shared_options
from thrifty.cli.view.screen import Screen, opening_lines
from thrifty.receipt import wording
from thrifty.receipt.terminal import increases_view, plan_view

if TYPE_CHECKING:
    from thrifty.cli.plan_preview import PlanPreview

EPILOG = """\b
Examples:
  thrifty plan "Draft a project proposal" --max-tokens 2200 --max-tool-calls 2
  thrifty plan @brief.md --max-cost-usd 0.01 --model gpt-5-mini --json

\b
Exit codes:
  0  there is a plan
  2  bad input
  4  nothing fits the budget
"""
PROPOSALS_REMARK = "A run may also ask the model for extra steps, and plan with those too."


@click.command(epilog=EPILOG)
@shared_options
@debug_option
def plan(**given: Any) -> int:
    """Show what a run would set out to do, and spend nothing.

    TASK is the text of the task, - for standard input, or @FILE.
    """
    from thrifty.cli.plan_preview import preview_plan  # the planners: not for a help text

    request = read_request(given)
    found = preview_plan(request, read_bills_for(request))
    made = found.plan
    screen = Screen.of(as_json=given["as_json"])
    if given["as_json"]:
        click.echo(json.dumps(_preview_data(request, found), indent=2, allow_nan=False))
    else:
        screen.result.print(*opening_lines(request), plan_view(made, request.budget), sep="\n")
        screen.result.print(increases_view(found.prices, found.required_increases), end="")
        if request.context.propose_options and not request.settings.is_offline:
            screen.result.print(PROPOSALS_REMARK, style="dim")
    return DONE if made.chosen else NOTHING_DONE


def _preview_data(request: RunRequest, found: PlanPreview) -> dict[str, Any]:
    made = found.plan
    return {
        "verdict": wording.describe_plan(made),
        "budget": request.budget.to_state(),
        "expected": made.expected.to_state(),
        "plan": made.to_state(),
        "shadow_prices": [price.to_state() for price in found.prices],
        "entries": [entry.to_state() for entry in found.required_increases],
    }
