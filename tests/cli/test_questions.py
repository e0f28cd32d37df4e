"""What a run asks a person, and how it is answered: by options, and at a terminal."""

import json
import os
import pty
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from thrifty.budget import InvalidInput
from thrifty.cli.answers import answer_from_options, choices, fit_answer
from thrifty.cli.view.question_lines import question_lines

OWN_CODE = '''
from pathlib import Path
from langchain_core.tools import tool
from langgraph.types import interrupt
from thrifty import Executor

OUTBOX = Path(__file__).with_name("outbox")

@tool
def send_mail(to: str, text: str) -> str:
    """Sends a mail."""
    before = OUTBOX.read_text() if OUTBOX.exists() else ""
    OUTBOX.write_text(f"{before}{to}: {text}\\n")
    return f"A mail went to {to}."

def ask(work):
    return f"You said {interrupt('Which depot?')}."

executors = {"mail": Executor(send_mail, effects=True, approve=True), "ask": ask}
'''
STEPS = """
steps:
  - name: Depot
    options: [{executor: ask, description: Asks., value: 5}]
  - name: Mail
    options:
      - executor: mail
        description: Tells the depot.
        tool_calls: 1
        value: 5
        payload: {input: {to: north, text: "At five.\\u202e"}}
"""


@pytest.fixture
def asking(tmp_path):
    """The command line of a run that asks two questions, and then sends a mail."""
    (tmp_path / "own.py").write_text(OWN_CODE)
    (tmp_path / "own.yaml").write_text(STEPS)
    files = ("--tools", str(tmp_path / "own.py"), "--recipe", str(tmp_path / "own.yaml"))
    return ("run", "The lorry", *files, "--budget", "3 calls")


def sent(tmp_path: Path) -> str:
    file = tmp_path / "outbox"
    return file.read_text() if file.exists() else ""


def test_each_question_is_answered_by_its_own_options(invoke, asking, tmp_path):
    asked = invoke(*asking)
    assert asked.exit_code == 11
    assert "? Which depot?" in asked.stderr
    assert "--answer TEXT" in asked.stderr
    wrong = invoke("resume", "--go")
    assert (wrong.exit_code, sent(tmp_path)) == (2, "")
    assert "answer: got '--go'; use --answer TEXT" in wrong.stderr

    asked = invoke("resume", "--answer", "north")
    assert asked.exit_code == 11
    assert "Is 'mail' to be called for the step 'Mail'?" in asked.stderr
    assert r'"text": "At five.\u202e"' in asked.stderr  # what cannot be seen is shown
    assert '--go, --input TEXT or --leave-out "Mail"' in " ".join(asked.stderr.split())
    assert invoke("runs", "--json").exit_code == 0

    odd = invoke("resume", "--input", '{"to": "south"}')
    assert (odd.exit_code, sent(tmp_path)) == (11, "")
    assert "answer.input.text: got None; it is missing; fill it in" in odd.stderr
    done = invoke("resume", "--input", '{"to": "south", "text": "six"}', "--json")
    assert done.exit_code == 0
    assert sent(tmp_path) == "south: six\n"
    results = json.loads(done.stdout)["results"]
    assert (results["Depot"]["text"], results["Mail"]["text"]) == (
        "You said north.",
        "A mail went to south.",
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
def test_a_person_at_a_terminal_edits_a_call_before_it_is_made(start, asking, tmp_path):
    said = [
        ("Which depot?", "north"),
        ("leave out): ", "edit"),
        ("in one line: ", "six"),
        ("in one line: ", '{"to": "south", "text": "six"}'),
    ]
    ours, theirs = pty.openpty()
    process = start(*asking, terminal=theirs)
    os.close(theirs)
    shown, seen = "", 0
    with suppress(OSError):  # how a terminal tells that the other side has gone
        while part := os.read(ours, 65536):
            shown += part.decode("utf-8", "replace")
            if said and said[0][0] in shown[seen:]:
                seen = len(shown)
                os.write(ours, f"{said.pop(0)[1]}\n".encode())
    os.close(ours)
    assert process.wait(timeout=240) == 0
    assert "go         call it with what is shown" in shown
    assert "write JSON, as in" in shown
    assert sent(tmp_path) == "south: six\n"


CALL = {"about": "call", "step": "Mail", "executor": "mail", "input": "Ann"}
EFFECT = {"about": "effect", "step": "", "executor": "pay"}
PLAN = {"about": "plan", "buys": None}
NOTHING = dict.fromkeys(("go", "finish", "again", "input", "done", "answer", "leave_out"))


@pytest.mark.parametrize(
    ("question", "options", "answer"),
    [
        (CALL, {"go": True}, "go"),
        (CALL, {"input": "Bob"}, {"input": "Bob"}),
        (CALL, {"leave_out": ("Mail",)}, "leave_out"),
        (CALL, {"leave_out": ("mail",)}, "leave_out"),
        ({**CALL, "input": 5}, {"input": "6"}, {"input": 6}),
        (EFFECT, {"again": True}, "again"),
        (EFFECT, {"done": ""}, "done"),
        (EFFECT, {"done": "paid"}, {"done": "paid"}),
        (EFFECT, {"leave_out": ("pay",)}, "leave_out"),
        (PLAN, {"finish": True}, "finish"),
        (PLAN, {"leave_out": ("Mail",)}, {"leave_out": ["Mail"]}),
        (None, {"go": True}, "go"),
        ("Which?", {"answer": '{"depot": 7}'}, {"depot": 7}),
        ("Which?", {"answer": "7"}, "7"),
    ],
)
def test_an_option_says_what_its_question_asks(question, options, answer):
    assert fit_answer(answer_from_options({**NOTHING, **options}, {}), question) == answer


@pytest.mark.parametrize(
    ("question", "options", "remedy"),
    [
        (CALL, {"finish": True}, 'use --go, --input TEXT or --leave-out "Mail"'),
        (CALL, {"leave_out": ("Other",)}, '--leave-out "Mail"'),
        ({**CALL, "input": None}, {"input": "Bob"}, 'use --go or --leave-out "Mail"'),
        ({**CALL, "input": {}}, {"input": "Bob"}, "write JSON, as in {}"),
        (EFFECT, {"go": True}, 'use --done TEXT, --again or --leave-out "pay"'),
        (PLAN, {"again": True}, "use --go, --leave-out STEP or --finish"),
        (None, {"again": True}, "the run asks nothing like that"),
        (CALL, {"go": True, "input": "Bob"}, "say one of them"),
    ],
)
def test_another_option_is_refused_with_those_that_answer(question, options, remedy):
    with pytest.raises(InvalidInput) as refused:
        fit_answer(answer_from_options({**NOTHING, **options}, {}), question)
    assert remedy in str(refused.value)


def test_no_line_of_what_a_call_is_given_passes_for_one_of_ours():
    question = {
        **CALL,
        "question": "Is 'mail' to be called?",
        "reason": "Sends.\x1b[2J",
        "attempt": 2,
        "task": "",
        "input": "Ann\n  go  send it all",
        "results": {"Facts": {"text": "x" * 3_000, "data": None}},
        "draft": "",
    }
    console = Console(width=60)
    with console.capture() as shown:
        for line in question_lines(question):
            console.print(line)
    text = shown.get()
    assert "\x1b" not in text
    assert "      go  send it all" in text
    assert "It would be call 2 of it." in text
    assert "(3,000 characters; `--json` has them all)" in " ".join(text.split())
    assert [choice.word for choice in choices(question)] == ["go", "edit", "leave out"]
