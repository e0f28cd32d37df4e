"""References in an option's input: filled in with what other steps have made."""

from dataclasses import replace

import pytest
from langchain_core.tools import tool

from thrifty import InvalidInput, Result, Spend, StepOption, Work
from thrifty.executors.references import fill_references, rename_references
from thrifty.executors.registry import ExecutorRegistry
from thrifty.options.recipe import Recipe

ROWS = [{"depot": "North", "vehicles": 14}]
OPTION = StepOption("Count (x)", "Count", "x", "Count.", Spend(), 1.0)
WORK = Work(
    "the task",
    OPTION,
    results={
        "Facts": Result("14 in the north", ROWS),
        "Facts in figures": Result("", 14),
        "Notes": Result(r"\1 of $Facts"),
        "$odd (name)": Result("odd"),
    },
    absent=("Later",),
)


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ("$Facts", ROWS),
        ({"rows": "$Facts", "more": ["${Facts in figures}", 3]}, {"rows": ROWS, "more": [14, 3]}),
        ("$Facts in figures", 14),
        ("$Notes", r"\1 of $Facts"),
        ("As $Facts, and ${Notes}.", r"As 14 in the north, and \1 of $Facts."),
        ("$Factsheet", "$Factsheet"),
        ("$5 and $Unknown", "$5 and $Unknown"),
        ("$Later", None),
        ("After $Later.", "After ."),
        ("$$odd (name)", "odd"),
        (7, 7),
    ],
)
def test_a_reference_keeps_its_type_alone_and_is_text_within_a_text(given, filled):
    assert fill_references(given, WORK) == filled


def test_a_tool_gets_the_data_that_its_input_refers_to():
    @tool
    def count(rows: list[dict], unit: str) -> str:
        """Counts."""
        return f"{sum(row['vehicles'] for row in rows)} {unit}"

    option = replace(OPTION, payload={"input": {"rows": "$Facts", "unit": "vans"}})
    work = replace(WORK, option=option)
    assert ExecutorRegistry.of({"x": count})["x"](work) == "14 vans"


def catalog(reads: list[str] | None) -> dict:
    figures = {"description": "Do it.", "tokens": 1, "latency_ms": 1, "tool_calls": 1, "value": 1}
    count = {"executor": "x", **figures, "payload": {"input": {"rows": "$Facts"}}}
    reader = {"name": "Count", "options": [count]}
    if reads is not None:
        reader["reads"] = reads
    return {"steps": [{"name": "Facts", "options": [{"executor": "x", **figures}]}, reader]}


def test_an_input_may_refer_only_to_what_its_step_reads():
    assert Recipe.of(catalog(["Facts"])).steps[1].reads == ("Facts",)
    for reads in (None, []):
        with pytest.raises(InvalidInput, match=r"input: got '\$Facts'; let the step 'Count' read"):
            Recipe.of(catalog(reads))


def test_references_get_new_names_whatever_their_case():
    given = {"rows": "$facts", "text": ["$NOTES on ${Facts in figures}, $other and $notesbook"]}
    renamed = rename_references(
        given, {"facts": "A", "notes": "B {}"}.__getitem__, ["Facts", "Notes"]
    )
    assert renamed == {
        "rows": "${A}",
        "text": ["${B {}} on ${Facts in figures}, $other and $notesbook"],
    }
    assert rename_references(given, str.upper, ()) == given
