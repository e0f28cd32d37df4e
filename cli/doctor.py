"""`thrifty doctor`: looks at what a run needs, and says what to do."""

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from thrifty.budget.plain_text import single_line
from thrifty.cli.shared_options import ENVIRONMENT_HELP, flag_option, json_option, models_option
from thrifty.cli.view.screen import Screen, print_json

STATE_MARKS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "fail": ("✗", "red")}


@click.command(
    epilog=f"""\b
Examples:
  thrifty doctor
  thrifty doctor --try
  thrifty doctor --base-url http://localhost:11434/v1 --models llama3
  thrifty doctor --models strong=gpt-5,cheap=anthropic:claude-haiku-4-5
  thrifty doctor --json | jq '.findings[] | select(.state != "ok")'

\b
Exit codes: that of a run which needs what is missing
  0   nothing is missing; what is worth knowing is marked with !
  2   bad input
  7   no model could be reached
  10  runs cannot be kept

{ENVIRONMENT_HELP}
"""
)
@models_option
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible server, with its /v1.")
@flag_option("--offline", help="Look at nothing that only models need.")
@flag_option("--try", "is_tried", help="Also ask each model for a word, which is paid and booked.")
@json_option
def doctor(**given: Any) -> int:
    """Look at what runs need: models, keys, servers, prices, store.

    Costs nothing, but for --try.
    """
    from thrifty.cli.environment_checks import check_environment
    from thrifty.cli.model_trials import try_models
    from thrifty.cli.read_request import name_fields_as_typed, read_settings
    from thrifty.models.roles.model_roles import ModelRoles
    from thrifty.settings import home_folder

    with name_fields_as_typed(given):
        roles = ModelRoles(read_settings(given))
    screen = Screen.of(as_json=given["as_json"])
    with screen.notes.status("looking"):
        findings = list(check_environment(roles, home_folder()))
        if given["is_tried"]:
            findings += try_models(roles)
    code = next((finding.exit_code for finding in findings if finding.exit_code), 0)
    if given["as_json"]:
        print_json({"findings": [each.to_state() for each in findings], "exit_code": code})
        return code
    table = Table.grid(padding=(0, 1))
    for finding in findings:
        mark, style = STATE_MARKS[finding.state]
        says = Text(single_line(finding.says), overflow="fold")
        if finding.remedy:
            says.append(f"\n→ {single_line(finding.remedy)}", style=style)
        about = Text(finding.about, style="bold").append(f" {finding.role}", style="not bold dim")
        table.add_row(Text(mark, style), about, says)
    screen.result.print(table)
    return code
