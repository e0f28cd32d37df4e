"""`thrifty receipt` and `thrifty run --html`: the same receipt, shown again and as a page."""

import json

import click
import pytest

from tests.cli.samples import HOSTILE, RECEIPT, receipt_with


@pytest.fixture
def record(tmp_path):
    """The file that `thrifty run --json` would have left."""
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"receipt": RECEIPT.to_state(), "draft": "## Plan\n\nWords."}))
    return file


def test_a_run_and_its_json_make_the_same_page(invoke, tmp_path):
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    run = invoke("run", "Draft a project plan for a party", "--json", "--html", str(pages[0]))
    assert run.exit_code == 0
    assert f"Receipt written to {pages[0]}." in run.stderr
    again = invoke("receipt", "-", "--html", str(pages[1]), input=run.stdout)
    assert again.exit_code == 0
    assert pages[0].read_text("utf-8") == pages[1].read_text("utf-8")
    assert "<h3>Outline plan</h3>" in pages[0].read_text("utf-8")


def test_every_step_of_a_run_has_its_times_in_order(invoke):
    receipt = json.loads(invoke("run", "Draft a project plan for a party", "--json").stdout)[
        "receipt"
    ]
    times = [(line["started_ms"], line["ended_ms"]) for line in receipt["lines"]]
    assert len(times) > 3
    assert sorted(moment for span in times for moment in span) == [
        moment for span in times for moment in span
    ]
    assert times[-1][1] <= receipt["spent"]["latency_ms"]


def test_without_a_page_the_receipt_is_shown(invoke, record):
    shown = invoke("receipt", str(record))
    assert (shown.exit_code, shown.stderr) == (0, "")
    told = " ".join(shown.stdout.split())
    assert "Done, within budget. Worth 15.0, 75% of the best without limits (20.0)." in told
    assert "More tokens would have bought something better." in told


def test_the_exit_code_is_that_of_the_run(invoke, tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"receipt": receipt_with(HOSTILE).to_state()}))
    shown = invoke("receipt", str(file))
    assert shown.exit_code == 3
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize("named", [True, False])
def test_open_shows_the_page_in_a_browser(invoke, record, tmp_path, monkeypatch, named):
    opened = []
    monkeypatch.setattr(click, "launch", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    options = ["--html", str(tmp_path / "r.html")] if named else []
    assert invoke("receipt", str(record), "--open", *options).exit_code == 0
    (address,) = opened
    assert address.startswith("file:///")
    assert address.endswith("r.html" if named else "receipt.html")


CASES = {
    "no JSON": ("{", "FILE: got", "no JSON"),
    "NaN": ('{"receipt": NaN}', "FILE: got", "no JSON"),
    "too deep": ("[" * 100_000, "FILE: got", "no JSON"),
    "too many digits": ('{"receipt": ' + "9" * 5_000 + "}", "FILE: got", "no JSON"),
    "another object": ('{"plan": {}}', "FILE: got", "what `thrifty run --json` printed"),
    "no object": ("[]", "FILE: got", "what `thrifty run --json` printed"),
    "a receipt that is none": ('{"receipt": 5}', "receipt: got 5", "use a mapping"),
    "half a receipt": ('{"receipt": {"task": "x"}}', "receipt.run_id", "it is missing"),
    "an unknown field": ('{"receipt": {"x": 1}}', "receipt.x", "known fields"),
}


@pytest.mark.parametrize(("text", "what", "remedy"), CASES.values(), ids=CASES)
def test_a_file_that_is_no_receipt(invoke, text, what, remedy):
    result = invoke("receipt", "-", input=text)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert what in result.stderr
    assert remedy in result.stderr


@pytest.mark.parametrize("name", ["/no/such.json", "/", "a\0b"])
def test_a_file_that_cannot_be_read(invoke, name):
    result = invoke("receipt", name)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "name a file that can be read" in result.stderr


@pytest.mark.parametrize("name", ["", "/", "/no/such/folder/page.html"])
def test_a_page_that_cannot_be_written_is_refused_before_the_run(invoke, name):
    result = invoke("run", "x", "--html", name)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "--html" in result.stderr
