"""`thrifty options`: the steps of a recipe, and the ways to do each."""

import click
from rich.table import Table
from rich.text import Text

from thrifty.budget import Step, StepOption, check_steps
from thrifty.budget.dollars import format_usd
from thrifty.budget.plain_text import single_line
from thrifty.cli.own_code import read_own_code, tools_option
from thrifty.cli.recipe_argument import own_recipe_option, read_recipe_to_show
from thrifty.cli.shared_options import flag_option
from thrifty.cli.view.screen import Screen
from thrifty.executors.registry import BUILTIN_EXECUTORS
from thrifty.options.recipe import proposal_text
from thrifty.receipt.terminal import make_table


@click.command(
    epilog="""\b
Examples:
  thrifty options --yaml > my.yaml
  thrifty options --recipe my.yaml
  thrifty options --recipe my.yaml --tools my.py
  thrifty run "Draft a project proposal" --recipe my.yaml
"""
)
@own_recipe_option
@tools_option
@flag_option("--yaml", "as_yaml", help="The recipe `proposal`, to copy and change.")
def options(recipe: str | None, tools: str | None, as_yaml: bool) -> None:
    """Show the steps of a recipe, and the ways to do each.

    A file of your own is checked.
    """
    if as_yaml:
        if recipe is not None:
            raise click.UsageError("--yaml prints the recipe `proposal`; drop --recipe")
        click.echo(proposal_text(), nl=False)
        return
    steps = read_recipe_to_show(recipe).steps
    check_steps(steps, (*BUILTIN_EXECUTORS, *read_own_code(tools).names))
    Screen.of().result.print(_table(steps))


def _table(steps: tuple[Step, ...]) -> Table:
    every = [option for step in steps for option in step.options]
    has_cost = any(option.estimate.cost_nano_usd for option in every)
    figures = ("tokens", *(["cost"] if has_cost else []), "ms", "calls", "value")
    table = make_table(("Step, and the ways to do it", "by"), figures)
    for step in steps:
        table.add_row(_heading(step), style="bold")
        for option in step.options:
            table.add_row(*_row(option, has_cost))
    return table


ROLES = {"revision": "revises the draft", "material": "is there for others to read"}
"""What is said of the steps that do not add a section."""


def _heading(step: Step) -> Text:
    heading = Text(single_line(step.name))
    remarks = ["required"] * step.required + [ROLES.get(step.role, "")]
    for what, names in (("after", step.requires), ("reads", step.reads or ())):
        remarks += [f"{what} {', '.join(map(single_line, names))}"] * bool(names)
    remarks = [remark for remark in remarks if remark]
    return heading.append(f"  {'; '.join(remarks)}" if remarks else "", style="not bold dim")


def _row(option: StepOption, has_cost: bool) -> list[Text | str]:
    estimate = option.estimate
    return [
        Text(f"  {single_line(option.name)}", style="not bold"),
        Text(single_line(option.executor)),
        f"{estimate.tokens:,}",
        *([format_usd(estimate.cost_nano_usd)] if has_cost else []),
        f"{estimate.latency_ms:,}",
        f"{estimate.tool_calls:,}",
        f"{option.value:,.1f}",
    ]
