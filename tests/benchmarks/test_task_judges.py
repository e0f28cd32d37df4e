"""Pairs are judged blind in both orders, and counted as they were judged."""

from dataclasses import replace

import pytest

from benchmarks.tasks.delivered import FOLDER, Delivered, DeliveredText, read_delivered
from benchmarks.tasks.facts import Fact
from benchmarks.tasks.judge import all_sheets, lay_out
from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.pairs import sheets
from benchmarks.tasks.readers_report import (
    groups_table,
    judges_table,
    pairs_table,
    read_pairs,
)
from benchmarks.tasks.tally import OrderBias, order_bias, outcome, sign_test
from benchmarks.tasks.verdicts import (
    Verdict,
    collect_verdicts,
    read_verdict,
    read_verdicts,
    write_verdicts,
)

FACTS = (Fact("the price", (12,)), Fact("the day", ("monday",)))
TASK = BenchmarkTask("tea", "trip", "Where is tea?", "en", documents={"Map": "A map."}, facts=FACTS)
OTHER = replace(TASK, id="coffee")
PAIR = Delivered(
    "tea",
    "first_writer",
    steps=DeliveredText("At the mill, on Monday, for 12 euros.", ("Find (shop)",), 900, 3),
    direct=DeliveredText("Somewhere, for 12 euros.", ("Answer (strong)",), 300, 1),
)
BOTH = {"tea": PAIR, "coffee": replace(PAIR, task_id="coffee")}


def verdict(winner, first="steps", task="tea", margin="clear"):
    """A judge's word on a task."""
    return Verdict(task, first, winner, margin, "Because.")


def test_a_pair_has_a_sheet_in_each_order_and_the_first_one_is_drawn():
    one, two = sheets(TASK, PAIR)
    assert {one.first, two.first} == {"steps", "direct"}
    assert (one.first, two.first) == (two.second, one.second)
    assert list(sheets(TASK, PAIR)) == [one, two], "the same each time"
    firsts = {next(sheets(replace(TASK, id=f"task {n}"), PAIR)).first for n in range(20)}
    assert firsts == {"steps", "direct"}


def test_a_sheet_has_all_that_a_judge_needs_and_no_sign_of_which_is_which():
    for sheet in sheets(TASK, PAIR):
        texts = {"steps": PAIR.steps.text, "direct": PAIR.direct.text}
        end = f"=== Answer A ===\n\n{texts[sheet.first]}\n\n=== Answer B ===\n\n"
        assert sheet.text.endswith(f"{end}{texts[sheet.second]}\n")
        assert "Where is tea?\n\n=== Document: Map ===\n\nA map." in sheet.text
        for sign in ("steps", "direct", "first_writer", "shop", "strong", "900", TASK.id + "-"):
            assert sign not in sheet.text.replace("=== The task ===", "")
            assert sign not in sheet.name


def test_sheets_are_laid_out_in_two_sets_and_old_ones_are_taken_away(tmp_path):
    laid = all_sheets([TASK, OTHER, replace(TASK, id="no pair")], BOTH)
    lay_out(laid, tmp_path)
    assert [len([*tmp_path.glob(f"pairs/{each}/*.md")]) for each in ("1", "2")] == [2, 2]
    assert len({sheet.name for sheet in laid}) == 4
    newer = {"tea": replace(PAIR, direct=replace(PAIR.direct, text="Nowhere."))}
    lay_out(all_sheets([TASK], newer), tmp_path)
    files = {file.stem for file in tmp_path.glob("pairs/*/*.md")}
    assert len(files) == 2
    assert not files & {sheet.name for sheet in laid}, "a verdict is on the texts that were read"


def test_what_a_judge_wrote_is_kept_in_terms_of_steps_and_direct(tmp_path):
    one, two = sheets(TASK, PAIR)
    for sheet, told in (
        (one, "{winner: A, margin: clear, why: It is right.}"),
        (two, "winner: tie"),
    ):
        file = tmp_path / "verdicts" / "ada" / f"{sheet.name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told, "utf-8")
    found = collect_verdicts([one, two], tmp_path)
    assert found == {
        "ada": [
            Verdict("tea", one.first, one.first, "clear", "It is right."),
            Verdict("tea", two.first, "tie", "slight", ""),
        ]
    }
    assert read_verdict(two, {"winner": "b", "margin": "slight"}).winner == two.second
    write_verdicts("ada", found["ada"], tmp_path / "kept")
    assert read_verdicts(tmp_path / "kept") == found


@pytest.mark.parametrize("told", ["A", "{winner: C}", "{winner: A, margin: huge}", "[", "{}"])
def test_a_verdict_that_cannot_be_read_is_named(tmp_path, told):
    (one, _) = sheets(TASK, PAIR)
    file = tmp_path / "verdicts" / "ada" / f"{one.name}.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(told, "utf-8")
    with pytest.raises(ValueError, match=one.name):
        collect_verdicts([one], tmp_path)


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1), (1, 0, 1), (5, 0, 0.0625), (8, 2, 0.109375), (3, 3, 1), (2, 8, 0.109375)],
)
def test_the_sign_test_by_hand(wins, losses, p):
    """2 · (C(10,0) + C(10,1) + C(10,2)) / 2^10 = 112 / 1024."""
    assert sign_test(wins, losses) == pytest.approx(p)


def test_a_task_is_won_by_whom_more_verdicts_are_for():
    assert outcome([verdict("steps"), verdict("tie"), verdict("tie")]) == "steps"
    assert outcome([verdict("steps"), verdict("direct")]) == "tie"
    assert outcome([verdict("direct"), verdict("tie"), verdict("direct"), verdict("steps")]) == (
        "direct"
    )


def test_bias_is_what_changes_with_the_order():
    told = [
        *(verdict("steps", "steps"), verdict("direct", "direct")),  # A both times
        *(verdict("steps", "steps", "b"), verdict("steps", "direct", "b")),
        verdict("tie", "steps", "c"),  # in one order alone
    ]
    assert order_bias(told) == OrderBias(pairs=2, changed=1, firsts=3, decided=4)


def test_the_report_says_who_is_preferred_and_what_each_answer_says():
    judges = {
        "ada": [verdict("steps"), verdict("steps", "direct"), verdict("direct", task="coffee")],
        "bob": [verdict("tie")],
    }
    pairs = read_pairs([TASK, OTHER, replace(TASK, id="milk")], BOTH, judges)
    rows = pairs_table(pairs).splitlines()[2:]
    assert rows == [
        "| tea | 2 of 2 | 1 | 900 | 300 | 2 | 1 | 0 | steps |",
        "| coffee | 2 of 2 | 1 | 900 | 300 | 0 | 0 | 1 | direct |",
    ]
    unread = read_pairs([TASK], BOTH, {})
    assert pairs_table(unread).endswith("| 0 | 0 | 0 | not judged |")
    groups = {"first": pairs, "later": unread, "none": []}
    first, later = groups_table(groups).splitlines()[2:]
    assert first == "| first | 2 | 2 | 1 | 0 | 1 | p = 1.000 | 100% of 4 | 50% | 3.0 |"
    assert later == "| later | 1 | 0 | 0 | 0 | 0 | - | 100% of 2 | 50% | 3.0 |"
    ada, bob = judges_table(judges).splitlines()[2:]
    assert ada == "| ada | 3 | 2 | 0 | 1 | 3 | 0 of 1 | 1 of 3 |"
    assert bob == "| bob | 1 | 0 | 1 | 0 | 0 | 0 of 0 | 0 of 0 |"


def test_the_stored_texts_and_verdicts_can_be_read():
    assert read_delivered().keys() == {file.stem for file in FOLDER.glob("*.yaml")}
    judged = {said.task for verdicts in read_verdicts().values() for said in verdicts}
    assert judged <= read_delivered().keys()
