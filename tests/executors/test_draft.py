"""The draft: sections in the order of their steps, a revision in the place of what it revised."""

from itertools import permutations

import pytest

from thrifty import Outcome, Spend, Step, StepOption
from thrifty.executors.draft import Draft, count_parts, split_draft


def option(step: str) -> StepOption:
    return StepOption(f"{step} (local)", step, "local", "does it", Spend(), 1.0)


STEPS = [Step(name, (option(name),)) for name in ("One", "Two", "Three")]
STEPS.append(Step("Polish", (option("Polish"),), role="revision"))
STEPS.append(Step("Answer", (option("Answer"),), role="answer"))
STEPS.append(Step("Facts", (option("Facts"),), role="material"))


def wrote(step: str, text: str = "text", status: str = "done") -> Outcome:
    return Outcome(option(step), status, text)


def draft(*outcomes: Outcome) -> str:
    written = Draft(STEPS)
    written.add(outcomes)
    return str(written)


@pytest.mark.parametrize("ended", list(permutations(["One", "Two", "Three"])))
def test_sections_stand_in_the_order_of_their_steps_however_they_ended(ended):
    whole = "## One\n\nof One\n\n## Two\n\nof Two\n\n## Three\n\nof Three"
    assert draft(*(wrote(step, f"of {step}") for step in ended)) == whole


def test_a_revision_takes_the_place_of_all_before_it_and_of_nothing_after():
    revised = draft(wrote("One"), wrote("Polish", "polished"), wrote("Two"))
    assert revised == "polished\n\n## Two\n\ntext"


def test_an_answer_takes_the_place_of_all_before_it():
    assert draft(wrote("One"), wrote("Two"), wrote("Answer", "whole")) == "whole"


def test_material_is_handed_over_where_nothing_else_was_written():
    written = Draft(STEPS)
    written.add([wrote("Facts", "9.5 m")])
    assert (str(written), written.handed_over()) == ("", "## Facts\n\n9.5 m")
    written.add([wrote("One")])
    assert written.handed_over() == "## One\n\ntext"


@pytest.mark.parametrize("lost", [wrote("Two", "", "failed"), wrote("Two", "")])
def test_what_left_no_text_leaves_no_heading(lost):
    assert draft(wrote("One"), lost) == draft(wrote("One"))
    assert draft(lost) == ""


def test_a_text_that_was_cut_is_in_it():
    assert draft(wrote("One", "half a", "cut")) == "## One\n\nhalf a"


def test_it_grows_as_if_it_had_been_written_at_once():
    outcomes = [wrote("Three"), wrote("Polish", "polished"), wrote("Two"), wrote("One")]
    grown = Draft(STEPS)
    for outcome in outcomes:
        grown.add([outcome])
    assert str(grown) == draft(*outcomes)


def test_materials_are_read_by_others_and_not_handed_over():
    steps = [*STEPS, Step("Source", (option("Source"),), role="material")]
    written = Draft(steps)
    written.add([wrote("Source", "rows"), wrote("One")])
    assert str(written) == draft(wrote("One"))


DRAFT = "Before.\n\n## One\n\nof One\n\n## Two\n\nof Two"


@pytest.mark.parametrize(
    ("parts", "revised", "untouched"),
    [
        (0, "", DRAFT),
        (1, "Before.", DRAFT.removeprefix("Before.\n\n")),
        (2, "Before.\n\n## One\n\nof One", "## Two\n\nof Two"),
        (3, DRAFT, ""),
        (9, DRAFT, ""),
    ],
)
def test_a_revision_takes_on_whole_parts(parts, revised, untouched):
    assert split_draft(DRAFT, parts) == (revised, untouched)


def test_all_of_its_parts_are_the_whole():
    assert split_draft(DRAFT, count_parts(DRAFT)) == (DRAFT, "")
    assert split_draft(DRAFT, count_parts(DRAFT) - 1)[1].count("## ") == 1
