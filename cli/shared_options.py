"""What commands share: their options.

Numbers are handed on as they were written: the domain refuses what it cannot use, in the same
words as everywhere else.
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, TypeVar, get_args

import click

from thrifty.budget.budget_phrase import PHRASE_EXAMPLE
from thrifty.cli.attach_option import attach_option
from thrifty.cli.check_option import check_option
from thrifty.cli.document_option import documents_option
from thrifty.cli.own_code import tools_option
from thrifty.cli.schema_option import schema_option
from thrifty.models.roles.model import Effort
from thrifty.planning.engines import ENGINE_DEFAULT, ENGINES
from thrifty.planning.problem import RISK_DEFAULT

Command = TypeVar("Command", bound=Callable[..., Any])

ENVIRONMENT_HELP = """\b
Environment:
  OPENAI_API_KEY   the key; without it and without a server, thrifty is offline
  OPENAI_BASE_URL  an OpenAI-compatible server (vLLM, Ollama, a gateway)
  THRIFTY_MODELS__STRONG, __CHEAP, …
                   models by role; see docs/models.md
  THRIFTY_API      responses or chat
  THRIFTY_CAP_FIELD
                   max_tokens, for a chat server that caps output by that name only
  THRIFTY_PRICES   dollars per million tokens, as JSON:
                   {"llama3": {"input": 0, "output": 0}}
  THRIFTY_SETTINGS a TOML file with all of these but key and server
  THRIFTY_HOME     where runs are kept; by default, the folder for your data
  THRIFTY_DEBUG    1 shows tracebacks
  NO_COLOR         1 drops colours"""
"""For help texts."""


def _number_or_text(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Reads a number of that kind where the text is one."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            return text

    return read


flag_option = partial(click.option, is_flag=True)
int_option = partial(click.option, metavar="N", type=_number_or_text(int))
float_option = partial(click.option, metavar="X", type=_number_or_text(float))


def _combine(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for many; the help text has them in this order."""
    return lambda command: reduce(lambda inner, add: add(inner), reversed(options), command)


json_option = flag_option("--json", "as_json", help="One JSON object on standard output.")

models_option = click.option(
    "--models",
    metavar="LIST",
    help="The models by role, as in strong=gpt-5,cheap=gpt-5-mini, or one model or role alone.",
)

output_options = _combine(
    flag_option("--quiet", "-q", help="The answer alone."),
    click.option("--output", "-o", metavar="FILE", help="Write the answer to a file instead."),
    click.option("--html", metavar="FILE", help="Write the answer and the receipt as a web page."),
)
"""Of a command that shows a run: where its answer and its receipt go."""

task_options = _combine(
    click.argument("task", metavar="TASK"),
    click.option(
        "--budget", metavar="PHRASE", help=f'Limits as people say them: "{PHRASE_EXAMPLE}".'
    ),
    int_option("--max-tokens", help="Input and output tokens together."),
    float_option("--max-cost-usd", help="Dollars, such as 0.05."),
    int_option("--max-latency-ms", help="Milliseconds of active time."),
    int_option("--max-tool-calls", help="Calls to models and outside tools."),
    documents_option,
    attach_option,
    int_option("--words", help="About how long the answer is to be."),
    schema_option,
    check_option,
    click.option(
        "--recipe",
        metavar="NAME|FILE",
        help="`proposal`, `answer` for a direct answer, or a YAML file.  [what the task asks for]",
    ),
    tools_option,
    models_option,
    click.option(
        "--effort", type=click.Choice(get_args(Effort)), help="How hard models think.  [auto]"
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
    float_option(
        "--risk", help=f"The chance a plan may outgrow a limit, up to 0.5.  [{RISK_DEFAULT}]"
    ),
    int_option("--max-steps", help="The most steps in a plan.  [12; 6 in a proposal]"),
    int_option("--max-concurrency", help="Steps that may run side by side.  [1]"),
    click.option(
        "--on-drift",
        type=click.Choice(["replan", "halt", "ask"]),
        help="What to do when the rest of the plan no longer fits.  [replan]",
    ),
    int_option("--max-replans", help="The most new plans.  [10]"),
    flag_option("--offline", help="Call no model, even with a key."),
    click.option(
        "--plan-steps",
        type=click.Choice(["auto", "always", "never"]),
        help="Whether a model is asked for the steps of a task.  [auto]",
    ),
    flag_option("--no-proposals", help="Don't ask the model for extra steps of its own."),
    flag_option("--no-learn", help="Neither estimate by earlier bills nor keep this run's."),
    json_option,
)
"""Of a command that plans: the task, its limits, and how it is planned."""
