"""Reading a task: what is wanted, about what, with which parts, within which limits."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.executors.brief import read_brief
from thrifty.executors.money_shares import shares
from thrifty.executors.quantities import Duration, read_quantities, without_quantities
from thrifty.executors.words import clean, cut, inert

TUTORIAL = (
    "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
    "including scope, timeline, and risks."
)


def test_the_tutorials_task():
    brief = read_brief(TUTORIAL)
    assert (brief.verb, brief.document, brief.kind.name) == ("draft", "project proposal", "project")
    assert brief.subjects == ("logistics dashboard", "fleet optimization pilot")
    assert brief.parts == ("scope", "timeline", "risks")
    assert brief.wanted == "project proposal (1 page)"
    assert brief.title == "Logistics dashboard and fleet optimization pilot"


@pytest.mark.parametrize(
    ("task", "kind", "document", "title"),
    [
        ("Write a blog post about tea", "writing", "blog post", "Tea"),
        ("Plan a 3-day trip to Lisbon", "travel", "", "Plan a trip to Lisbon"),
        ("Migrate our billing service to Postgres", "migration", "",
         "Migrate our billing service to Postgres"),
        ("Tea", "general", "", "Tea"),
        ("Could you please build a CLI that sorts mail?", "software", "",
         "Build a CLI that sorts mail"),
        ("Compare Kafka and RabbitMQ for our event bus", "research", "",
         "Compare Kafka and RabbitMQ for our event bus"),
        ("Hire a software engineer", "hiring", "", "Hire a software engineer"),
        ("We lose users. Propose a plan to keep them.", "project", "plan", "Keep them"),
        ("Schreibe ein Gedicht", "general", "", "Schreibe ein Gedicht"),
        ("", "general", "", "Untitled"),
        ("Write a cover letter for an analyst position", "writing", "cover letter",
         "Analyst position"),
        ("Plan our office move in March", "relocation", "", "Plan our office move"),
        ("Move our family to Lisbon by August", "relocation", "", "Move our family to Lisbon"),
        ("Move the office files to the cloud", "migration", "",
         "Move the office files to the cloud"),
        ("Move to Kubernetes", "migration", "", "Move to Kubernetes"),
        ("Buy a used car for under $8,000", "general", "", "Buy a used car"),
        ("Set up a home network", "project", "", "Set up a home network"),
        ("Write unit tests for the billing module", "software", "",
         "Write unit tests for the billing module"),
        ("Write about our launch party", "writing", "", "Write about our launch party"),
        ("Build a roadmap for our shop", "project", "roadmap", "Shop"),
        ("Develop a training programme for support", "learning", "training programme", "Support"),
        ("Draft a requirements document for a banking app", "software", "requirements document",
         "Banking app"),
        ("Translate our project proposal into French", "writing", "",
         "Translate our project proposal into French"),
        ("Translate the roadmap for our partners", "writing", "roadmap", "Partners"),
        ("for", "general", "", "for"),
    ],
)  # fmt: skip
def test_kinds_and_titles(task, kind, document, title):
    brief = read_brief(task)
    assert (brief.kind.name, brief.document, brief.title) == (kind, document, title)
    assert brief.subjects


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        (
            "A report covering:\n- market size\n- rivals\n\nKeep it short.",
            ("market size", "rivals"),
        ),
        ("A plan with budget, channels and KPIs", ("budget", "channels", "KPIs")),
        ("A letter to a friend with a dog", ()),
        ("A wedding with a budget of $30k", ()),
        ("Write a post. Include examples and a conclusion.", ("examples", "conclusion")),
        ("A plan with sections on goals; risks", ("goals", "risks")),
        ("Plan our office move: movers, IT, and a party", ("movers", "IT", "party")),
        ("Plan our office move:\n- movers\n- IT\n- a party", ("movers", "IT", "party")),
        ("Plan our office move: start soon, end soon", ()),
        ("Plan our office move: what to carry, where to put it all in the end, and when", ()),
        ("To do: milk, bread, eggs", ()),
        ("Write a cover letter for a job and a cover page", ()),
        ("A talk that covers history, scope and risks", ("history", "scope", "risks")),
        ("Summarize the following notes: sales up, costs down, hiring frozen", ()),
    ],
)
def test_parts(task, parts):
    assert read_brief(task).parts == parts


@pytest.mark.parametrize(
    ("task", "title", "limits"),
    [
        ("Organize a 2-day offsite in Lisbon", "Organize an offsite in Lisbon", ("2-day",)),
        ("Plan a 2-week usability test", "Plan a usability test", ("2-week",)),
        ("Plan a trip in April for two adults and a toddler, budget $6,000", "Plan a trip",
         ("in April", "for two adults and a toddler", "budget $6,000")),
        ("Create a meal plan for a week", "Meal plan", ("for a week",)),
        ("Walk the dog twice a day", "Walk the dog twice a day", ()),
        ("Organise a conference at $80,000, not in August",
         "Organise a conference, not in August", ("at $80,000",)),
        ("Plan a party for under $500, with 25 guests and no alcohol",
         "Plan a party, and no alcohol", ("under $500", "with 25 guests")),
        ("Renovate the kitchen in 3 weeks and for no more than 12,000 euros",
         "Renovate the kitchen", ("in 3 weeks", "no more than 12,000 euros")),
        ("Plan a hike (2 pages) for less than $20 a day", "Plan a hike", ("less than $20 a day",)),
        ("We cannot take more than 3 days off", "We cannot take more than 3 days off", ()),
        ("Grow our shop to 10,000 users", "Grow our shop to 10,000 users", ()),
        ("Set goals for Q3 2026 for sales", "Set goals for sales", ("for Q3 2026",)),
    ],
)  # fmt: skip
def test_what_is_counted_leaves_a_sound_title(task, title, limits):
    brief = read_brief(task)
    assert (brief.title, brief.quantities.phrases) == (title, limits)


@pytest.mark.parametrize(
    ("task", "share"),
    [
        ("Plan a party for 20 people, $15 per person", ""),
        ("Plan a party for 20 people at $15 each", ""),
        ("Plan a trip for 2 people at $100 a day", ""),
        ("Plan a trip for 2 adults and 2 children for $4,000", "about $1,000 a person"),
        ("Plan a trip for two adults and a toddler, $6,000", "about $2,000 a person"),
        ("Organise a conference for 200 people over 2 days at $80,000",
         "about $400 a person, $200 a person and day"),
    ],
)  # fmt: skip
def test_money_is_shared_out_by_those_who_come(task, share):
    assert shares(read_brief(task)) == share


def test_what_only_points_or_commands_is_no_subject():
    assert read_brief("Write a poem about tea, and be brief").subjects == ("tea",)
    assert read_brief("Summarize this:\nlong text").subjects == ("the text given",)


@pytest.mark.parametrize(
    ("task", "subject"),
    [
        ("Prepare for a job interview", "job interview"),
        ("Renovate our kitchen", "kitchen"),
        ("Clean up the data warehouse", "data warehouse"),
        ("Open a bakery in Porto", "bakery in Porto"),
        ("Open source licence review", "Open source licence review"),
        ("Project proposal", "Project proposal"),
    ],
)
def test_what_it_is_about(task, subject):
    assert read_brief(task).subjects == (subject,)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Move in March", "in March"),
        ("Done by next Friday", "by next Friday"),
        ("Done by Friday", "by Friday"),
        ("Send it by tomorrow", "by tomorrow"),
        ("A trip in late September for two", "in late September"),
        ("Plan next month", "next month"),
        ("We may march on", ""),
        ("Poems by May Sarton", ""),
        ("Build an API in Spring", ""),
    ],
)
def test_dates(text, date):
    assert read_quantities(text).date == date


def test_audience():
    assert read_brief("Write an email to my landlord about the heating").audience == "landlord"
    brief = read_brief("Write an essay on the fall of Rome for high school students")
    assert (brief.subjects, brief.audience) == (("fall of Rome",), "high school students")


def test_quantities():
    found = read_quantities("1,500 words in six weeks for 4 people under $2,000 by March 3, 2026")
    assert found.duration == Duration("6 weeks", 42, describes=False)
    assert (found.money, found.money_amount, found.people) == ("$2,000", Decimal(2000), 4)
    assert (found.size, found.size_words, found.date) == ("1,500 words", 1500, "by March 3, 2026")
    assert found.phrases == ("in six weeks", "for 4 people", "under $2,000", "by March 3, 2026")
    assert read_quantities("a 3-day trip").duration == Duration("3 days", 3, describes=True)
    assert read_quantities("a 3 day trip").duration == Duration("3 days", 3, describes=True)
    assert read_quantities("in 3 Monaten").duration == Duration("3 Monaten", 90, describes=False)
    assert read_quantities("€1.5 million").money_amount == Decimal(1_500_000)
    assert read_quantities("$50k").money_amount == 50_000
    assert read_quantities("1.234,50 EUR").money_amount == Decimal("1234.50")
    assert read_quantities("$1.2.3.4").money_amount is None


@pytest.mark.parametrize(
    "text",
    [
        "a party for a six year old",
        "a party for a 6-year-old",
        "people aged 30 years and over",
        "5 years of experience",
        "5 years\u2019 experience",
        "the 20-year history of Python",
        "sales of the last 12 months",
        "founded 3 years ago",
    ],
)
def test_no_time_to_work_in(text):
    assert read_quantities(text).duration is None
    assert without_quantities(text) == text
    assert read_quantities(f"{text}, in two weeks").duration == Duration(
        "2 weeks", 14, describes=False
    )


@pytest.mark.parametrize(
    "piece",
    [
        "a ",
        ", ",
        "with ",
        "including ",
        "(",
        "1,",
        "$1",
        "- \n",
        "in about ",
        "please ",
        "a b c: ",
        "\n",
        "\\",
    ],
)
def test_fifty_kilobytes_are_read_at_once(piece):
    began = time.thread_time()  # of this thread alone, however busy the machine is
    read_brief(piece * (50_000 // len(piece)))
    assert time.thread_time() - began < 5  # a pattern that backtracks takes minutes


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.lists(st.sampled_from(TUTORIAL.split())).map(" ".join))
def test_any_text_has_a_brief(task):
    brief = read_brief(task)
    assert brief.title
    assert brief.subjects
    assert all(len(subject) <= 48 and "\n" not in subject for subject in brief.subjects)


def test_words():
    assert clean("a\x1b[31mb\x1b]8;;http://x\x07c\u202ed\ud800e\x00\r\nf") == "abcde\nf"
    assert cut("one two three", 9) == "one two…"
    assert inert("<b> a < b ![i](u) [r]: u") == "\\<b> a < b ![i\\](u) [r\\]: u"
    assert inert("\\<b>") == "\\\\\\<b>"
