"""The options that every command shares that plans.

Numbers are handed on as they were written: the domain refuses what it cannot use, in the same
words as everywhere else.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from thrifty.budget.budget_phrase import PHRASE_EXAMPLE
from thrifty.planning.engines import ENGINE_DEFAULT, ENGINES
from thrifty.planning.problem import RISK_DEFAULT

Command = TypeVar("Command", bound=Callable[..., Any])


ENVIRONMENT_HELP = """\b
Environment:
  OPENAI_API_KEY   the key; without it and without a server, thrifty is offline
  OPENAI_BASE_URL  an OpenAI-compatible server (vLLM, Ollama, a gateway)
  THRIFTY_API      responses or chat
  THRIFTY_CAP      max_tokens, for a chat server that caps output by that name only
  THRIFTY_PRICES   dollars per million tokens, as JSON:
                   {"llama3": {"input": 0, "output": 0}}
  THRIFTY_HOME     where runs are kept; by default, the folder for your data
  THRIFTY_DEBUG    1 shows tracebacks
  NO_COLOR         1 drops colours"""
"""For help texts."""


def int_or_text(text: str) -> int | str:
    """A whole number where it is one."""
    try:
        return int(text)
    except ValueError:
        return text


def float_or_text(text: str) -> float | str:
    """A number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


_SHARED_OPTIONS = (
    click.option(
        "--budget", metavar="PHRASE", help=f'Limits as people say them: "{PHRASE_EXAMPLE}".'
    ),
    click.option(
        "--max-tokens", type=int_or_text, metavar="N", help="Input and output tokens together."
    ),
    click.option("--max-cost-usd", type=float_or_text, metavar="X", help="Dollars, such as 0.05."),
    click.option(
        "--max-latency-ms", type=int_or_text, metavar="N", help="Milliseconds of active time."
    ),
    click.option(
        "--max-tool-calls", type=int_or_text, metavar="N", help="Calls to models and outside tools."
    ),
    click.option(
        "--catalog",
        metavar="FILE",
        help="Steps and options of your own, as YAML; see `thrifty options --yaml`.",
    ),
    click.option("--model", metavar="NAME", help="The model that writes.  [gpt-5]"),
    click.option(
        "--effort",
        type=click.Choice(["auto", "none", "minimal", "low", "medium", "high"]),
        help="How hard a reasoning model thinks.  [auto]",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="An OpenAI-compatible server (vLLM, Ollama, a gateway), with its /v1.",
    ),
    click.option(
        "--api",
        type=click.Choice(["responses", "chat"]),
        help="Which OpenAI protocol to speak.  [responses; chat with --base-url]",
    ),
    click.option(
        "--engine", type=click.Choice(list(ENGINES)), help=f"The planner.  [{ENGINE_DEFAULT}]"
    ),
    click.option(
        "--risk",
        type=float_or_text,
        metavar="X",
        help=f"The chance a plan may outgrow a limit, up to 0.5.  [{RISK_DEFAULT}]",
    ),
    click.option(
        "--max-steps", type=int_or_text, metavar="N", help="The most steps in a plan.  [6]"
    ),
    click.option(
        "--max-concurrency",
        type=int_or_text,
        metavar="N",
        help="Steps that may run side by side.  [1]",
    ),
    click.option(
        "--on-drift",
        type=click.Choice(["replan", "halt", "ask"]),
        help="What to do when the rest of the plan no longer fits.  [replan]",
    ),
    click.option("--max-replans", type=int_or_text, metavar="N", help="The most new plans.  [3]"),
    click.option("--offline", is_flag=True, help="Call no model, even with a key."),
    click.option(
        "--no-proposals", is_flag=True, help="Don't ask the model for extra steps of its own."
    ),
    click.option(
        "--no-learn", is_flag=True, help="Neither estimate by earlier bills nor keep this run's."
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output."),
)


def shared_options(command: Command) -> Command:
    """Adds the task and the shared options to a command."""
    for option in reversed(_SHARED_OPTIONS):
        command = option(command)
    return click.argument("task", metavar="TASK")(command)
