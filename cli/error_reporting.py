"""What commands share: error reporting, which ends whatever goes wrong in one line."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from thrifty.budget import ThriftyError
from thrifty.budget.plain_text import single_line
from thrifty.cli.ctrl_c import exit_now
from thrifty.cli.exit_codes import INTERRUPTED

DEBUG_KEY = "thrifty.debug"
UNEXPECTED_EXIT_CODE = 1


class ErrorReportingGroup(click.Group):
    """A group of commands that ends in a line on standard error and an exit code."""

    def main(  # type: ignore[override]  # it never returns, whatever the mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs a command line and exits."""
        # A letter that a terminal cannot show must not end a run that was paid for.
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name, **extra)
        except click.exceptions.Abort:
            sys.exit(_report("interrupted", INTERRUPTED))
        except click.ClickException as error:
            message = error.format_message().rstrip(".")
            sys.exit(_report(f"{message}{_help_hint(error)}", error.exit_code))
        if code == INTERRUPTED:
            exit_now(code)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; only click's own ways out pass through."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt as stop:
            return _report(f"interrupted{': ' if stop.args else ''}{stop}", INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has gone: there is nothing more to say, also not at exit.
            sys.stdout = None
            return UNEXPECTED_EXIT_CODE
        except Exception as error:  # the one place that is broad: people get no traceback
            if ctx.meta.get(DEBUG_KEY):
                raise
            return _report_failure(error)


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG_KEY] = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    envvar="THRIFTY_DEBUG",
    callback=_set_debug,
    help="Show tracebacks.",
)
"""Of the group and of every command: accepted before and after the command's name."""


def _report(message: str, code: int) -> int:
    click.echo(f"thrifty: {single_line(message)}", err=True)
    return code


def _report_failure(error: Exception) -> int:
    if isinstance(error, ThriftyError):
        return _report(str(error), error.exit_code)
    what = f"unexpected {type(error).__name__}; --debug or THRIFTY_DEBUG=1 shows its traceback"
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return _report(what, UNEXPECTED_EXIT_CODE)


def _help_hint(error: click.ClickException) -> str:
    """Where to read on after a command line that cannot be understood."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f" (see '{ctx.command_path} --help')" if ctx else ""
