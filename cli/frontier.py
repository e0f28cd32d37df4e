"""`thrifty frontier`: what more budget would buy, and what less would lose."""

import json
from typing import Any

import click

from thrifty.cli.error_reporting import debug_option
from thrifty.cli.exit_codes import DONE, NOTHING_DONE
from thrifty.cli.output_file import OutputFile
from thrifty.cli.run_request import name_fields_as_typed, read_request
from thrifty.cli.shared_options import int_or_text, shared_options
from thrifty.cli.view.screen import Screen

EPILOG = """\b
Examples:
  thrifty frontier "Draft a project proposal" --budget "2k tokens, 2 calls"
  thrifty frontier @brief.md --budget "$0.02, 10s" --over cost --plot value.svg
  thrifty frontier @brief.md --budget "2k tokens" --json | jq .next

\b
Exit codes:
  0  there is a plan
  2  bad input
  4  nothing fits the budget
"""


@click.command(epilog=EPILOG)
@shared_options
@click.option(
    "--over",
    type=click.Choice(["all", "tokens", "cost", "latency", "calls"]),
    help="Which limit varies; all of them in proportion.  [all]",
)
@click.option("--points", type=int_or_text, metavar="N", help="Budgets to plan.  [50]")
@click.option("--plot", metavar="FILE", help="Write the curve as a picture, .png or .svg.")
@debug_option
def frontier(**given: Any) -> int:
    """Show what budgets up to twice yours buy, and spend nothing.

    TASK is the text of the task, - for standard input, or @FILE. Every point is the best plan
    for its budget.
    """
    from thrifty.cli.view.frontier_view import (
        frontier_data,
        plan_frontier,
        print_frontier,
        value_curve,
    )
    from thrifty.receipt.frontier_plot import check_plot_file, save_plot

    request = read_request(given)
    file = OutputFile.of("--plot", given["plot"])
    if file:
        check_plot_file("--plot", given["plot"])
    screen = Screen.of(as_json=given["as_json"])
    with screen.notes.status("planning"), name_fields_as_typed(given):
        found = plan_frontier(request, given["over"], given["points"])
    curve = value_curve(found)
    if file:
        save_plot(curve, file.path)
    if given["as_json"]:
        click.echo(json.dumps(frontier_data(request, found), indent=2, allow_nan=False))
    else:
        print_frontier(request, found, curve, screen)
    if file:
        screen.notes.print(f"Curve written to {file.name}.", soft_wrap=True)
    return DONE if found.current.options else NOTHING_DONE
