"""What is shipped, built once and offline from a copy of the sources; a venv that has it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_SOURCE = (".*", "__pycache__", "*.egg-info", "build", "dist", "docs", "tests", "benchmarks")
BUILD = "import sys, setuptools.build_meta as backend; print(getattr(backend, sys.argv[1])({!r}))"
TIMEOUT_S = 240


def run_checked(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its failure shows all that it said."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built(kind: str, sources: Path, target: Path) -> Path:
    """An archive made by the build backend that pyproject.toml names.

    Args:
        kind: `wheel` or `sdist`.
        sources: the folder of pyproject.toml.
        target: where the archive goes.
    """
    target.mkdir(parents=True, exist_ok=True)
    code = BUILD.format(str(target))
    said = run_checked(sys.executable, "-c", code, f"build_{kind}", cwd=sources)
    return target / said.split()[-1]


def copied_sources(target: Path, *, links: bool = True) -> Path:
    """The sources as a clone has them, or as one without symbolic links has them."""
    shutil.copytree(ROOT, target, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    if not links:
        for link in [path for path in (target / "thrifty").iterdir() if path.is_symlink()]:
            text = str(link.readlink())
            link.unlink()
            link.write_text(text, "utf-8")  # what git leaves where it cannot make a link
    return target


@dataclass(frozen=True)
class Dist:
    """What goes to a package index."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    folder = tmp_path_factory.mktemp("dist")
    sources = copied_sources(folder / "sources")
    return Dist(
        wheel=built("wheel", sources, folder / "wheel"),
        sdist=built("sdist", sources, folder / "sdist"),
    )


@pytest.fixture(scope="session")
def unpacked(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist's folder."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(dist.sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@pytest.fixture(scope="session")
def consumer(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh venv: thrifty from the wheel, what it stands on from this one.

    A path file names this environment's site-packages, behind the venv's own. Path files in
    there are not read, so that an editable thrifty cannot take the wheel's place.
    """
    folder = tmp_path_factory.mktemp("venv")
    run_checked(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet"]
    run_checked(*pip, "--no-index", "--no-deps", "--no-compile", dist.wheel, cwd=folder)
    packages = run_checked(
        programs / "python",
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
        cwd=folder,
    ).strip()
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(packages, "test_environment.pth").write_text("\n".join(sorted(here)), "utf-8")
    return programs
