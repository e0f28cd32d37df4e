"""`python -m tests.harness.llm_server`: the server for a person who points a client at it."""

import argparse
import sys
import time
from pathlib import Path

from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.misbehaviours import MISBEHAVIOURS, named
from tests.harness.llm_server.script_file import load
from tests.harness.llm_server.server import LLMServer
from tests.harness.llm_server.usage import Bill

POLL_S = 0.1


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, printing a line for each request."""
    options = _parser().parse_args(arguments)
    server = LLMServer(port=options.port)
    try:
        if options.script:
            entries, default = load(options.script)
            server.script(*entries)
            server.default = default or server.default
        if options.misbehave:
            server.default = named(options.misbehave)
        server.start()
    except (OSError, ValueError) as error:
        print(f"llm_server: {error}", file=sys.stderr)
        return 2
    print(f"Listening. OPENAI_BASE_URL={server.base_url} (any key). Stop with Ctrl-C.", flush=True)
    try:
        _print_requests(server)
    except KeyboardInterrupt:
        print(f"\n{len(server.requests)} requests: {_amount(server.bill)}", flush=True)
    finally:
        server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.llm_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 is any free port")
    parser.add_argument("--script", type=Path, help="YAML or JSON, as in script_file.py")
    parser.add_argument(
        "--misbehave", metavar="NAME", help=f"on every request: {', '.join(MISBEHAVIOURS)}"
    )
    return parser


def _print_requests(server: LLMServer) -> None:
    """A line for each request as it ends, for ever."""
    printed: set[int] = set()
    while True:
        for request in server.requests:
            if request.ended_at_s is not None and request.number not in printed:
                printed.add(request.number)
                print(_line(request), flush=True)
        time.sleep(POLL_S)


def _line(request: Request) -> str:
    ended_at_s = request.ended_at_s or request.received_at_s
    took_ms = round(1000 * (ended_at_s - request.received_at_s))
    outcome = f"{request.status or 'no status'}{'' if request.completed else ', not completed'}"
    return (
        f"#{request.number} {request.method} {request.path} {request.model or '-'}: "
        f"{request.played}, {outcome}, {_amount(request.bill)}, {took_ms} ms"
    )


def _amount(bill: Bill) -> str:
    return f"{bill.input_tokens} + {bill.output_tokens} = {bill.total_tokens} tokens"


if __name__ == "__main__":
    sys.exit(main())
