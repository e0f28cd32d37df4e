"""`thrifty frontier`: what more budget would buy, and what less would lose."""

from typing import TYPE_CHECKING, Any

import click

from thrifty.cli.exit_codes import DONE, NOTHING_DONE, PLAN_EXIT_CODES_HELP
from thrifty.cli.output_file import check_output_file
from thrifty.cli.read_request import name_fields_as_typed, read_request
from thrifty.cli.run_request import RunRequest
from thrifty.cli.shared_options import int_option, task_options
from thrifty.cli.view.screen import Screen, opening_lines, print_asking, print_json

if TYPE_CHECKING:
    from thrifty.cli.frontier_report import FrontierReport


@click.command(
    epilog=f"""\b
Examples:
  thrifty frontier "Draft a project proposal" --budget "2k tokens, 2 calls"
  thrifty frontier @brief.md --budget "$0.02, 10s" --over cost --plot value.svg
  thrifty frontier @brief.md --budget "2k tokens" --json | jq .next

{PLAN_EXIT_CODES_HELP}
"""
)
@task_options
@click.option(
    "--over",
    type=click.Choice(["all", "tokens", "cost", "latency", "calls"]),
    help="Which limit varies; all of them in proportion.  [all]",
)
@int_option("--points", help="Budgets to plan.  [50]")
@click.option("--plot", metavar="FILE", help="Write the curve as a picture, .png or .svg.")
def frontier(**given: Any) -> int:
    """Show what budgets up to twice yours buy, and spend nothing.

    TASK is the text of the task, - for standard input, or @FILE. Every point is the best plan
    for its budget.
    """
    from thrifty.cli.frontier_report import plan_frontier, value_curve
    from thrifty.cli.view.frontier_view import frontier_view
    from thrifty.receipt.frontier_plot import check_plot_file, save_plot

    request = read_request(given)
    file = check_output_file("--plot", given["plot"])
    if file:
        check_plot_file("--plot", given["plot"])  # before a minute of planning is lost
    screen = Screen.of(as_json=given["as_json"])
    with screen.notes.status("planning"), name_fields_as_typed(given):
        report = plan_frontier(request, given["over"], given["points"])
    curve = value_curve(report)
    if file:
        save_plot(curve, file)
    if given["as_json"]:
        print_json(_report_data(request, report))
    else:
        parts = frontier_view(report, curve, screen.result.width)
        screen.result.print(*opening_lines(request), "", *parts, sep="\n")
        print_asking(screen, report.asking)
    if file:
        screen.print_file_note("Curve", file)
    return DONE if report.current.options else NOTHING_DONE


def _report_data(request: RunRequest, report: "FrontierReport") -> dict[str, Any]:
    return {
        "budget": request.budget.to_state(),
        "over": report.over,
        "chosen": report.current.to_state(),
        "best": report.best,
        "share": report.share_of(report.current),
        "points": [point.to_state() for point in report.points],
        "next": [upgrade.to_state() for upgrade in report.upgrades],
        "says": list(report.sentences),
        "asking": None if report.asking is None else report.asking.to_state(),
    }
