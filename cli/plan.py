"""`thrifty plan`: what a run would set out to do; nothing is called and nothing is spent."""

from typing import Any

import click

from thrifty.cli.exit_codes import DONE, NOTHING_DONE, PLAN_EXIT_CODES_HELP
from thrifty.cli.read_request import read_request
from thrifty.cli.shared_options import task_options
from thrifty.cli.view.screen import Screen, opening_lines, print_asking, print_json
from thrifty.options.recipe import ANSWER
from thrifty.receipt import wording
from thrifty.receipt.terminal import increases_view, plan_view

PROPOSALS_REMARK = "A run may also ask the model for extra steps, and plan with those too."


@click.command(
    epilog=f"""\b
Examples:
  thrifty plan "Draft a project proposal" --max-tokens 2200 --max-tool-calls 2
  thrifty plan @brief.md --max-cost-usd 0.01 --models gpt-5-mini --json

{PLAN_EXIT_CODES_HELP}
"""
)
@task_options
def plan(**given: Any) -> int:
    """Show what a run would set out to do, and spend nothing.

    TASK is the text of the task, - for standard input, or @FILE.
    """
    from thrifty.cli.plan_preview import preview_plan  # the planners: not for a help text

    request = read_request(given)
    preview = preview_plan(request)
    screen = Screen.of(as_json=given["as_json"])
    result = screen.result
    if given["as_json"]:
        print_json(
            {
                "verdict": wording.describe_plan(preview.plan),
                "budget": request.budget.to_state(),
                "expected": preview.plan.expected.to_state(),
                "plan": preview.plan.to_state(),
                "shadow_prices": [price.to_state() for price in preview.prices],
                "entries": [entry.to_state() for entry in preview.required_increases],
                "asking": None if preview.asking is None else preview.asking.to_state(),
            }
        )
    else:
        result.print(*opening_lines(request), plan_view(preview.plan, request.budget), sep="\n")
        result.print(increases_view(preview.prices, preview.required_increases), end="")
        print_asking(screen, preview.asking)
        may_ask = request.context.propose_options and request.recipe.name != ANSWER
        if may_ask and not request.roles.is_offline:
            result.print(PROPOSALS_REMARK, style="dim")
    return DONE if preview.plan.chosen else NOTHING_DONE
