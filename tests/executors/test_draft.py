"""The draft: sections in running order, a revision in the place of what it revised."""

from itertools import permutations

import pytest

from thrifty import Outcome, Spend, Step, StepOption
from thrifty.executors.draft import Draft, fitting_excerpt


def option(step: str) -> StepOption:
    return StepOption(f"{step} (local)", step, "local", "does it", Spend(), 1.0)


STEPS = [Step(name, (option(name),)) for name in ("One", "Two", "Three")]
STEPS.append(Step("Polish", (option("Polish"),), role="revision"))


def wrote(step: str, text: str = "text", status: str = "done") -> Outcome:
    return Outcome(option(step), status, text)


def draft(*outcomes: Outcome) -> str:
    written = Draft(STEPS)
    written.add(outcomes)
    return str(written)


@pytest.mark.parametrize("ended", list(permutations(["One", "Two", "Three"])))
def test_sections_stand_in_running_order_however_they_ended(ended):
    whole = "## One\n\nof One\n\n## Two\n\nof Two\n\n## Three\n\nof Three"
    assert draft(*(wrote(step, f"of {step}") for step in ended)) == whole


def test_a_revision_takes_the_place_of_all_before_it_and_of_nothing_after():
    revised = draft(wrote("One"), wrote("Polish", "polished"), wrote("Two"))
    assert revised == "polished\n\n## Two\n\ntext"


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


def test_its_end_is_that_of_the_whole():
    written = Draft(STEPS)
    assert written.last_characters(3) == ""
    written.add([wrote("One", "of One"), wrote("Two", "of Two"), wrote("Three", "")])
    whole = str(written)
    for characters in range(1, len(whole) + 3):
        assert written.last_characters(characters) == whole[-characters:]


def test_an_excerpt_is_as_much_of_the_end_as_fits():
    written = Draft(STEPS)
    assert fitting_excerpt(written, 0) == fitting_excerpt(written, 5) == ""
    written.add([wrote("One", "0123456789")])
    assert fitting_excerpt(written, 0) == "…"
    assert fitting_excerpt(written, 4) == "…6789"
    assert fitting_excerpt(written, len(str(written)) - 1) == f"…{str(written)[1:]}"
    assert fitting_excerpt(written, len(str(written))) == str(written)


def test_an_excerpt_counts_the_bytes_of_its_text():
    written = Draft(STEPS)
    written.add([wrote("One", "ä" * 100)])
    kept = fitting_excerpt(written, 40)
    assert kept.startswith("…ää")
    assert 30 <= len(kept[1:].encode()) <= 40
