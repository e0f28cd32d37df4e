"""What the wheel and the sdist hold: every package and every file, and nothing else."""

import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, built, copied_sources

TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def folder_of(package: str) -> Path:
    """Where the sources of a package are."""
    names = package.split(".")
    for depth in range(len(names), 0, -1):
        if mapped := TOOL["package-dir"].get(".".join(names[:depth])):
            return ROOT.joinpath(mapped, *names[depth:])
    raise AssertionError(f"no folder is named for {package}")


def packages_on_disk() -> set[str]:
    """Every folder with an `__init__.py`, by the name it is imported under."""
    found = set()
    for package in TOOL["package-dir"]:
        top = folder_of(package)
        for init in top.rglob("__init__.py"):
            inside = init.parent.relative_to(top).parts
            found.add(".".join((package, *inside)))
    return found


def files_on_disk() -> set[str]:
    """Every source file of every package, by its place in the wheel."""
    return {
        f"{package.replace('.', '/')}/{file.name}"
        for package in packages_on_disk()
        for file in folder_of(package).iterdir()
        if file.is_file() and file.suffix != ".pyc"
    }


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel but for the record of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith((".dist-info/RECORD", "/"))
        }


def code_of(wheel: Path) -> set[str]:
    return {name for name in contents(wheel) if ".dist-info/" not in name}


def test_every_package_on_disk_is_named_in_pyproject():
    assert sorted(TOOL["packages"]) == sorted(packages_on_disk())


def test_each_mapped_folder_is_linked_for_type_checkers():
    for package, folder in TOOL["package-dir"].items():
        assert ROOT.joinpath(*package.split(".")).resolve() == ROOT / folder


def test_the_wheel_holds_every_file_and_no_other(dist):
    assert code_of(dist.wheel) == files_on_disk()


@pytest.mark.parametrize(
    "file",
    [
        "thrifty/py.typed",
        "thrifty/prompts/outline.md",
        "thrifty/options/proposal.yaml",
        "thrifty/executors/offline/playbook.yaml",
        "thrifty/receipt/receipt.css",
        "thrifty/receipt/receipt.html.j2",
        "thrifty/graph/studio.py",
        "thrifty/nodes/check_spend.py",
        "thrifty/cli/main.py",
    ],
)
def test_the_wheel_holds_each_kind_of_file(dist, file):
    assert file in code_of(dist.wheel)


def test_a_wheel_from_the_sdist_is_the_same_wheel(dist, unpacked, tmp_path):
    assert contents(built("wheel", unpacked, tmp_path)) == contents(dist.wheel)


def test_a_wheel_from_a_clone_without_links_is_the_same_wheel(dist, tmp_path):
    sources = copied_sources(tmp_path / "sources", links=False)
    assert contents(built("wheel", sources, tmp_path)) == contents(dist.wheel)


def test_the_sdist_holds_what_a_build_and_a_reader_need(unpacked):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_wheel_says_what_it_is(dist):
    (metadata,) = (t for name, t in contents(dist.wheel).items() if name.endswith("/METADATA"))
    said = Parser().parsestr(metadata.decode())
    assert (said["Name"], said["Requires-Python"], said["License-Expression"]) == (
        "thrifty",
        ">=3.11",
        "MIT",
    )
    assert any(name.endswith("licenses/LICENSE") for name in contents(dist.wheel))
