"""The tests mirror the source: where something is tested is known by where it stands."""

import pytest

from tests.packaging.conftest import ROOT

OTHER = {"docs", "harness", "packaging", "real_model", "studio"}
"""The documents, what proves, what is shipped, and the agent under `langgraph dev`."""
ROOMS = sorted(
    folder.name
    for folder in (ROOT / "tests").iterdir()
    if folder.is_dir() and folder.name != "__pycache__" and list(folder.rglob("*.py"))
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_folder_of_tests_is_named_after_what_it_tests(room):
    assert room in OTHER or (ROOT / room).is_dir() or (ROOT / "thrifty" / room).is_dir()


def test_no_test_stands_beside_the_folders():
    assert not list((ROOT / "tests").glob("test_*.py"))
