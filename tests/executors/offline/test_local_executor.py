"""What the executor `local` writes: useful, deterministic, free, and not moved by hostile text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.budget import InvalidInput, Spend, StepOption
from thrifty.executors.offline.blank_form import NOTE
from thrifty.executors.offline.local_executor import run_local
from thrifty.executors.offline.playbook import playbook
from thrifty.executors.offline.quoting import inert, quote
from thrifty.executors.offline.sections import LEVELS, MILESTONE_COLUMNS, RISK_COLUMNS
from thrifty.executors.offline.tidy import tidy
from thrifty.executors.payload import TEMPLATES
from thrifty.executors.protocol import Work
from thrifty.options.recipe import proposal_recipe

OPTION = StepOption("Map (local)", "Map", "local", "Name who decides.", Spend(), 1.0)
SECTIONS = sorted({*TEMPLATES} - {"tidy"})

TUTORIAL = (
    "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
    "including scope, timeline, and risks."
)
FOREIGN = [
    "Schreibe einen Projektplan für die Einführung eines ERP-Systems in 3 Monaten",
    "Redacta una propuesta de proyecto para un panel de logística en 6 semanas",
    "物流ダッシュボードの提案書を3週間で書いてください",
]
HOSTILE = (
    "Explain the {{ 7*7 }} {% raw %} {# x #} <script>alert(1)</script> | ![x](http://e/x.png)"
    "\x1b[31m\x00 and the rest"
)
TASKS = [
    TUTORIAL,
    "Write a blog post about the tea that we like",
    "Plan a 3-day trip to Lisbon for 4 people under $2,000",
    "Migrate our billing service to Postgres in 6 weeks",
    "Tea",
    "Summarize this: " + "lorem ipsum " * 8_000,
    HOSTILE,
    *FOREIGN,
]


def write(task, template, draft=""):
    payload = {"template": template} if template else {}
    return run_local(Work(task, replace(OPTION, payload=payload), draft)).text


def draft_of(task):
    """The whole local plan: every section, then the quality pass."""
    steps = proposal_recipe().steps
    sections = [f"## {s.name}\n\n{run_local(Work(task, s.options[-1])).text}" for s in steps[:-1]]
    return run_local(Work(task, steps[-1].options[-1], "\n\n".join(sections))).text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("template", SECTIONS)
def test_every_section_quotes_the_task_and_says_something(task, template):
    text = write(task, template)
    beginning, rest = text.split("\n", 1)
    assert beginning == quote(task)
    assert len(beginning) < 400
    assert len(rest.strip()) > 20
    assert not re.search(r"\n\n\n|\bNone\b|[\x00-\x09\x0b-\x1f]", text)
    assert len(text) < 3_000


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("template", [*TEMPLATES, None])
def test_the_same_work_gives_the_same_text(task, template):
    assert write(task, template, "# A draft") == write(task, template, "# A draft")


@pytest.mark.parametrize("task", TASKS)
def test_tables_are_whole(task):
    for table in re.findall(r"(?:^\|.*\n)+", draft_of(task), re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1


def test_the_tutorials_draft_answers_the_task():
    draft = draft_of(TUTORIAL)
    for expected in (
        "**Scope**: what is in", "**Timeline**: dated milestones", "**Risks**: what could go wrong",
        "### Scope", "## Timeline", "## Risk register", "| Source data is late or wrong |",
        "| 3 | Dashboard: first version on real data | Weeks 3-6 |",
        "| 4 | Pilot: run with the agreed group | Weeks 3-6 |",
    ):  # fmt: skip
        assert expected in draft
    assert "To complete" not in draft
    assert len(re.findall(r"\w+", draft)) < 500  # about one page


def test_the_quality_pass_keeps_one_quote_of_the_task_and_one_note():
    assert draft_of(TUTORIAL).count(quote(TUTORIAL)) == 1
    assert draft_of(FOREIGN[0]).count(NOTE) == 1


@pytest.mark.parametrize("task", FOREIGN)
@pytest.mark.parametrize("template", SECTIONS)
def test_no_sentence_in_the_wrong_language(task, template):
    """Beside the task, the assignment and the note, there are only labels of one or two words."""
    text = write(task, template)
    for known in (quote(task), NOTE, OPTION.description, *RISK_COLUMNS, *MILESTONE_COLUMNS):
        text = text.replace(known, "")
    words = re.findall(r"[^\W\d_]+", text)
    assert all(word in task for word in words)


@pytest.mark.parametrize("place", range(3))
def test_a_form_states_the_time_in_the_words_of_the_task(place):
    task, stated = FOREIGN[place], ("in 3 Monaten", "en 6 semanas", "3週間")[place]
    assert f"**{stated}**" in write(task, "timeline")


def test_stated_limits_are_honoured():
    task = "Migrate our billing service to Postgres in 6 weeks, budget of $50k, by March 3"
    timeline, register = write(task, "timeline"), write(task, "risks")
    assert "**Time:** in 6 weeks; by March 3." in timeline
    assert "| Week 6 |" in timeline
    assert "assumed" not in timeline
    for limit in ("in 6 weeks", "budget of $50k", "by March 3"):
        assert f"({limit})" in register
    assert "8 weeks are assumed" in write(TUTORIAL, "timeline")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 999), st.sampled_from(["day", "week", "month", "year"]))
def test_milestones_fill_the_stated_time_in_order(count, unit):
    timeline = write(f"Build an app for our people in {count} {unit}s", "timeline")
    spans = re.findall(r"\| (?:Hour|Day|Week|Month)s? (\d+)(?:-(\d+))? \|", timeline)
    ends = [int(end or start) for start, end in spans]
    assert len(spans) == len(playbook().milestones)
    assert spans[0][0] == "1"
    assert ends == sorted(ends)


def test_risks_come_worst_first():
    for task in TASKS[:4]:
        rows = re.findall(
            r"(?m)^\| \d+ \| .* \| (\w+) \| (\w+) \| .* \| .* \|$", write(task, "risks")
        )
        severities = [LEVELS[one.lower()] * LEVELS[other.lower()] for one, other in rows]
        assert 4 <= len(rows) <= 6
        assert severities == sorted(severities, reverse=True)


def test_local_work_uses_nothing():
    assert run_local(Work(TUTORIAL, OPTION)).spend == Spend()


def test_an_unknown_template_is_refused():
    with pytest.raises(InvalidInput, match="use one of: deliverables"):
        write("x", "../../etc/passwd")


def test_the_generic_template_says_the_options_assignment():
    assert "\n\nName who decides.\n\n" in write(TUTORIAL, None)
    assert "\n\nName who decides.\n\n" in write(FOREIGN[0], None)


def test_hostile_text_stays_text():
    text = draft_of(HOSTILE)
    assert "{{ 7*7 }}" in text
    assert "49" not in text
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(", text)
    hostile = replace(OPTION, description="# <img src=http://e> {{ x }}\n# not a heading")
    text = run_local(Work("Tea", hostile)).text
    assert "\n\\# \\<img" in text
    assert "\n#" not in text


def test_inert_text():
    assert inert("<b> a < b ![i](u) [r]: u") == "\\<b> a < b ![i\\](u) [r\\]: u"
    assert inert("\\<b>") == "\\\\\\<b>"
    assert inert("# a\x1b\n- b") == "\\# a - b"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["", TUTORIAL + " "]))
def test_no_task_breaks_a_template(task, before):
    for template in SECTIONS:
        text = write(before + task, template, draft=task)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]|(?<!\\)<script", text)
        assert len([line for line in text.splitlines() if line.startswith("#")]) <= 2


@pytest.mark.parametrize("task", TASKS)
def test_a_quality_pass_loses_no_section_and_adds_no_words(task):
    steps = proposal_recipe().steps
    sections = [f"## {s.name}\n\n{run_local(Work(task, s.options[-1])).text}" for s in steps[:-1]]
    draft = "\n\n".join(sections)
    revised = draft_of(task)
    assert len(revised) <= len(draft)
    assert re.findall("(?m)^#.*", revised) == re.findall("(?m)^#.*", draft)
    assert tidy(revised) == revised


def test_the_playbook_is_sound():
    book = playbook()
    risks = [*book.risks, *(row for theme in book.themes for row in theme.risks)]
    assert {level for row in risks for level in row[1:3]} <= {*LEVELS}
    assert all(len(row) == len(RISK_COLUMNS) for row in risks)
    assert all(theme.work is None or len(theme.work) == 2 for theme in book.themes)
    assert all(len(milestone) == 3 for milestone in book.milestones)
    assert "first version" in [name for name, _, _ in book.milestones]
    words = [word for theme in book.themes for word in theme.words]
    assert len(words) == len(set(words))
    assert "|" not in str(book)
