"""What is read from a task: only what a pattern can be sure of."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.executors.offline.task_facts import foreign_time, read_facts

TUTORIAL = (
    "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
    "including scope, timeline, and risks."
)
WORDS = [*TUTORIAL.split(), "with", "$5k", "in 6 weeks", "by March 3", "budget"]


def test_the_tutorials_task():
    facts = read_facts(TUTORIAL)
    assert facts.parts == ["scope", "timeline", "risks"]
    assert list(facts.themes) == ["logistics", "dashboard", "optimization", "pilot"]
    assert facts.limits == {}


@pytest.mark.parametrize(
    ("task", "limits", "days"),
    [
        ("Build an app in 6 weeks", {"time": "in 6 weeks"}, 42),
        ("Build an app within the next two months", {"time": "within the next two months"}, 60),
        ("Build an app, budget of $50k", {"cost": "budget of $50k"}, 56),
        ("Build an app by 2027-03-01", {"date": "by 2027-03-01"}, 56),
        ("Build an app before March 3, 2027", {"date": "before March 3, 2027"}, 56),
        ("Buy a car under €8,000 and a bike", {"cost": "under €8,000"}, 56),
        ("Buy a car with a 5,000 EUR budget", {"cost": "5,000 EUR budget"}, 56),
        ("Raise at most $1.5 million", {"cost": "at most $1.5 million"}, 56),
        ("Write a poem for $5 budget in 1 year", {"time": "in 1 year", "cost": "$5 budget"}, 365),
    ],
)
def test_stated_limits_are_read_as_written(task, limits, days):
    facts = read_facts(task)
    assert (facts.limits, facts.days) == (limits, days)


@pytest.mark.parametrize(
    "task",
    [
        "Plan a 3-day trip",
        "Review the sales of the last 12 months",
        "Explain what changed in 5 years of growth",
        "Hire for under $100 per hour",
        "Spend under $1 million a year",
        "Ship to 3 sites by Friday",
        "Read poems by May Sarton",
        "Grow our shop to 10,000 users in 0 weeks",
    ],
)
def test_what_is_doubtful_is_left_to_the_quoted_task(task):
    assert read_facts(task).limits == {}


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("A plan with budget, channels and KPIs", ["budget", "channels", "KPIs"]),
        ("A plan with a timeline, including risks", ["timeline"]),
        ("A plan covering the scope; next steps, in 6 weeks", ["scope", "next steps"]),
        ("A plan including scope, <b>x</b> and risks", ["scope"]),
        ("A letter to a friend with a dog", []),
        ("A wedding with a budget of $30k", []),
        ("A party for 20 people including 5 children", []),
    ],
)
def test_parts(task, parts):
    assert read_facts(task).parts == parts


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ("Write a blog post about our data migration", ["blog"]),
        ("Plan a dinner for the pilot group", ["dinner"]),
        ("Build a dashboard for the wedding", ["dashboard", "wedding"]),
        ("Fix the login bug", ["login", "bug"]),
        ("Sort the garage", []),
    ],
)
def test_a_text_or_an_event_that_is_named_first_is_all_of_the_work(task, named):
    assert list(read_facts(task).themes) == named


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("Schreibe einen Projektplan in 3 Monaten", "in 3 Monaten"),
        ("Planifica el proyecto en 6 semanas", "en 6 semanas"),
        ("提案書を3週間で書いてください", "3週間"),
        ("Ein Plan für 3 Personen", ""),
    ],
)
def test_the_time_of_a_task_in_another_language(task, found):
    assert foreign_time(task) == found


@pytest.mark.parametrize("piece", ["with ", "including ", "1,", "$1", "in 1 ", "a b ", " ", "\\"])
def test_a_hundred_kilobytes_are_read_at_once(piece):
    start = time.process_time()
    task = piece * (100_000 // len(piece))
    read_facts(task)
    foreign_time(task)
    assert time.process_time() - start < 2


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_can_be_read(task):
    facts = read_facts(task)
    assert facts.days > 0
    assert len(facts.parts) <= 8
