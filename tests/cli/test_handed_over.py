"""What goes with a task: documents, pictures, the shape of its answer, and code of one's own."""

import json
import shlex
import sys

import pytest

from tests.harness.llm_server import Answer

ASKED = ("What do vans cost?", "--recipe", "answer")
ROOMY = ("--budget", "20k tokens, 3 calls")


@pytest.fixture
def folder(tmp_path):
    """Texts to hand over, and a picture."""
    (tmp_path / "depots").mkdir()
    for name in ("north", "south"):
        (tmp_path / "depots" / f"{name}.txt").write_text(f"Depot {name} has vans. " * 40)
    (tmp_path / "prices.csv").write_text("\ufeffvan,9000\n", "utf-8")
    (tmp_path / "van.png").write_bytes(b"\x89PNG\x00\xff")
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.py").write_text("1 / 0")
    (tmp_path / "bare.py").write_text("nothing = 1")
    (tmp_path / "list.json").write_text('{"type": "array"}')
    return tmp_path


def test_documents_are_read_whole_in_the_plan_and_in_the_run(invoke, server, models, folder):
    given = ("--document", f"{folder / 'depots'}", "--document", f"Prices={folder / 'prices.csv'}")
    server.script(Answer("9,000 each.", times=None))
    with_key = {"env": {"OPENAI_API_KEY": "sk-x"}, "input": "Fuel is extra."}
    arguments = (*ASKED, *ROOMY, *models, *given, "--document", "Note=-", "--json")
    planned = json.loads(invoke("plan", *arguments, **with_key).stdout)["expected"]["tokens"]
    told = json.loads(invoke("run", *arguments, **with_key).stdout)
    (request,) = server.requests
    for text in ("Depot north has vans. " * 40, "Depot south has", "van,9000", "Fuel is extra."):
        assert text.strip() in request.prompt
    assert [name in request.prompt for name in ("north", "Prices", "Note")] == [True] * 3
    assert planned == told["plan"]["chosen"][0]["estimate"]["tokens"]
    assert planned > server.bill.input_tokens > 400  # two texts of 200 words, at least
    assert list(told["results"]) == ["Answer"]


@pytest.mark.parametrize(
    ("option", "given", "remedy"),
    [
        ("--document", "van.png", "hand over text in UTF-8 (invalid start byte); an image or a"),
        ("--document", "none.txt", "name a file that can be read"),
        ("--document", "empty", "name a folder with files in it"),
        ("--document", "depots=depots", "drop the name: each file of a folder has its own"),
        ("--attach", "prices.csv", "attach an image or a PDF; hand over text with --document"),
        ("--schema", "list.json", "use a schema of an object"),
        ("--schema", "prices.csv", "give a JSON schema"),
        ("--tools", "odd.py", "mend it: ZeroDivisionError: division by zero"),
        ("--check", "pytest '", "give a command (No closing quotation)"),
        ("--check", " ", "give a command, such as"),
        ("--tools", "bare.py", "let it have `tools`, `executors`, `checks`, or"),
    ],
)
def test_what_cannot_be_handed_over_is_refused(invoke, folder, monkeypatch, option, given, remedy):
    monkeypatch.chdir(folder)
    result = invoke("plan", *ASKED, option, given)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"thrifty: {option}: got ")
    assert remedy in result.stderr


@pytest.mark.parametrize("option", [("--schema", "shape.json"), ("--attach", "van.png")])
def test_a_recipe_that_has_no_use_for_it_says_so(invoke, folder, monkeypatch, option):
    monkeypatch.chdir(folder)
    (folder / "shape.json").write_text('{"type": "object"}')
    result = invoke("plan", "x", "--recipe", "proposal", *option)
    assert result.exit_code == 2
    assert f"{option[0]}: got '{option[1]}'; " in result.stderr
    assert "add --recipe answer" in result.stderr


def test_an_answer_has_the_shape_that_a_file_says(invoke, server, models, tmp_path):
    shape = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    (tmp_path / "shape.json").write_text(json.dumps(shape))
    server.script(Answer('{"age": 41}', times=None))
    arguments = (*ASKED, *ROOMY, *models, "--schema", str(tmp_path / "shape.json"), "--json")
    told = json.loads(invoke("run", *arguments, env={"OPENAI_API_KEY": "sk-x"}).stdout)
    assert told["structured"] == {"age": 41}
    assert told["results"]["Answer"]["data"] == {"age": 41}
    kept = json.loads(invoke("show", "--json").stdout)
    assert kept == told


def test_a_picture_is_sent_where_the_model_has_a_bound_for_it(invoke, server, folder, monkeypatch):
    bound = {"name": "gpt-4.1", "base_url": server.base_url, "tokens_per_attachment": 1_500}
    lines = (f"{name} = {json.dumps(value)}" for name, value in bound.items())
    (folder / "thrifty.toml").write_text("\n".join(["[models.strong]", *lines]))
    monkeypatch.setenv("THRIFTY_SETTINGS", str(folder / "thrifty.toml"))
    server.script(Answer("A van.", times=None))
    arguments = (*ASKED, *ROOMY, "--attach", str(folder / "van.png"), "--quiet")
    result = invoke("run", *arguments)
    assert (result.exit_code, result.stdout) == (0, "A van.\n")
    assert "data:image/png;base64,iVBOR" in json.dumps(server.requests[0].body)


CHECKS = """
def check(text):
    return text.isdecimal() or "it is no number"
"""


@pytest.mark.parametrize("given", ["command", "file"])
def test_an_answer_can_be_checked(invoke, server, models, folder, given):
    """By a command, or by a function in a file of one's own."""
    (folder / "checked.py").write_text(CHECKS)
    is_number = "import sys; sys.exit(not sys.stdin.read().isdecimal())"
    options = {
        "command": ("--check", shlex.join([sys.executable, "-c", is_number])),
        "file": ("--tools", str(folder / "checked.py")),
    }
    server.script(Answer("9,000 each.", times=None))
    result = invoke("run", *ASKED, *ROOMY, *models, *options[given])
    assert result.exit_code == 13
    assert "Answer failed the check" in result.output
    assert "9,000 each." in result.output


def test_a_plan_shows_what_a_check_makes_possible(invoke, server, folder):
    (folder / "checked.py").write_text(CHECKS)
    models = ("--models", "strong=gpt-4.1,cheap=gpt-4.1-mini")
    env = {"env": {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-x"}}
    given = ("--tools", str(folder / "checked.py"), "--budget", "$0.05", "--json")
    told = json.loads(invoke("plan", *ASKED, *models, *given, **env).stdout)
    names = {each["option"] for each in told["plan"]["left_out"]}
    assert "Answer (cheap), then Answer (strong)" in names
    assert not server.requests
