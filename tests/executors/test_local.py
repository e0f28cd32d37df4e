"""What the local executor writes: useful, deterministic, free, and never moved by hostile text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.budget import InvalidInput, Spend, StepOption
from thrifty.executors.brief import read_brief
from thrifty.executors.catalog import builtin_catalog
from thrifty.executors.local import run_local
from thrifty.executors.outline import outline_for
from thrifty.executors.payload import TEMPLATES
from thrifty.executors.playbook import playbook
from thrifty.executors.protocol import Work
from thrifty.executors.risks import _file, _risk, risks_for
from thrifty.executors.schedule import schedule_for, trip_days

OPTION = StepOption("Map (local)", "Map", "local", "Name who decides.", Spend(), 1.0)

TUTORIAL = (
    "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
    "including scope, timeline, and risks."
)
TASKS = [
    TUTORIAL,
    "Write a blog post about tea",
    "Plan a 3-day trip to Lisbon for 4 people under $2,000",
    "Migrate our billing service to Postgres in 6 weeks",
    "Tea",
    "物流ダッシュボードの提案書を書いてください",
    "Schreibe einen Projektplan für die Einführung eines ERP-Systems in 3 Monaten",
    "Summarize this: " + "lorem ipsum " * 4000,
    "Explain {{ 7*7 }} {% raw %} {# x #} <script>alert(1)</script> | ![x](http://e/x.png)\x1b[31m\x00",
]


def write(task, template, draft=""):
    payload = {"template": template} if template else {}
    return run_local(Work(task, replace(OPTION, payload=payload), draft)).text


def draft_of(task):
    """The whole local plan: every section, then the quality pass."""
    steps = builtin_catalog().steps
    sections = [f"## {s.name}\n\n{run_local(Work(task, s.options[-1])).text}" for s in steps[:-1]]
    return run_local(Work(task, steps[-1].options[-1], "\n".join(sections))).text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("template", [*TEMPLATES, None])
def test_every_template_writes_for_every_task(task, template):
    text = write(task, template, draft="# A draft")
    assert text.strip()
    assert text == write(task, template, draft="# A draft")
    assert not re.search(r"\n\n\n|\bNone\b|undefined|[\x00-\x09\x0b-\x1f]", text)
    assert len(text) < 6_000


@pytest.mark.parametrize("task", TASKS)
def test_tables_are_whole(task):
    for table in re.findall(r"(?:^\|.*\n)+", draft_of(task), re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1


def test_the_tutorials_draft_answers_the_task():
    draft = draft_of(TUTORIAL)
    for expected in (
        "Logistics dashboard", "Fleet optimization pilot", "project proposal (1 page)",
        "**Scope** (asked for)", "**Timeline** (asked for)", "**Risks** (asked for)",
        "Logistics dashboard: source data is late", "| 4 | Fleet optimization pilot: run with",
    ):  # fmt: skip
        assert expected in draft
    assert "To complete" not in draft


def test_local_work_uses_nothing():
    assert run_local(Work(TUTORIAL, OPTION)).spend == Spend()


def test_an_unknown_template_is_refused():
    with pytest.raises(InvalidInput, match="use one of: deliverables"):
        write("x", "../../etc/passwd")


def test_the_generic_template_says_the_options_assignment():
    assert write("Tea", None).startswith("**Aim:** Name who decides.")


def test_hostile_text_stays_text():
    text = draft_of(TASKS[-1])
    assert "{{ 7*7 }}" in text
    assert "49" not in text
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(", text)
    hostile = replace(OPTION, description="<img src=http://e> {{ x }}\n# not a heading")
    text = run_local(Work("Tea", hostile)).text
    assert "\\<img" in text
    assert "\n#" not in text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_task_breaks_a_template(task):
    for template in TEMPLATES:
        write(task, template, draft=task)


def test_the_schedule_uses_the_time_there_is():
    six_weeks = schedule_for(read_brief(TASKS[3]))
    assert (six_weeks.span, six_weeks.is_stated) == ("6 weeks", True)
    assert six_weeks.rows[0].when == "Week 1"
    assert six_weeks.rows[-1].when == "Week 6"
    assert schedule_for(read_brief("Build an app in 1 day")).rows[-1].when == "Hour 8"
    assert schedule_for(read_brief("Build an app in 2 years")).rows[-1].when.endswith("24")
    assert not schedule_for(read_brief("Build an app")).is_stated


def test_subjects_run_side_by_side():
    rows = schedule_for(read_brief(TUTORIAL)).rows
    assert rows[2].when == rows[3].when
    assert rows[2].after == rows[3].after == "2"
    assert rows[4].after == "3, 4"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9999), st.sampled_from(["day", "week", "month", "year"]))
def test_milestones_only_wait_for_earlier_ones(count, unit):
    rows = schedule_for(read_brief(f"Build an app in {count} {unit}s")).rows
    ends = [int(re.findall(r"\d+", row.when)[-1]) for row in rows]
    assert ends == sorted(ends)
    for row in rows:
        assert all(int(number) < row.number for number in row.after.split(", ") if number)


def test_a_trip_is_planned_by_the_day_and_the_head():
    assert len(trip_days(read_brief(TASKS[2]))) == 3
    assert trip_days(read_brief("Plan a trip to Lisbon")) == ()
    assert "about $500 a person, $166 a person and day" in write(TASKS[2], "deliverables")


def test_risks_come_from_the_task_worst_first():
    risks = risks_for(read_brief(TASKS[3]))
    assert 5 <= len(risks) <= 7
    assert [r.severity for r in risks] == sorted((r.severity for r in risks), reverse=True)
    told = " ".join(risk.risk for risk in risks)
    assert "6 weeks is not enough" in told
    assert "charged twice" in told


def test_a_requested_part_replaces_the_usual_section():
    names = [s.name for s in outline_for(read_brief("A project plan covering summary and risks"))]
    assert names.count("Summary") == 1
    assert "Risks" in names


def test_the_data_files_are_sound():
    for theme in _file()["themes"].values():
        assert set(theme) <= {"words", "risks", "not_for"}
        assert all(_risk(entry).severity for entry in theme["risks"])
    for kind in playbook().kinds:
        assert all(isinstance(text, str) for text in (*kind.sections.values(), *kind.questions))
        assert all(m.proof or not m.name for m in kind.milestones)
        assert len(kind.sections) >= 3
