"""What is released: the package, whole, and nothing else; `make wheel` runs the tests from it."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

from wheel.contents import ROOT, build_sdist, build_wheel, names_in, wrong

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def metadata(built: Path) -> Message:
    with zipfile.ZipFile(built) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(wheel.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    assert wrong(built) == []
    tops = {name.partition("/")[0] for name in names_in(built)}
    assert tops == {"optimove_analysis", f"optimove_analysis-{PROJECT['version']}.dist-info"}
    assert built.name.endswith("-py3-none-any.whl")
    assert not {name for name in names_in(built) if re.search(r"\.pyc$|test|sqlite|\.oma$", name)}


def test_every_kind_of_file_that_the_package_reads_is_in_the_wheel(built: Path) -> None:
    kinds = {name.rpartition(".")[2] for name in names_in(built) if ".dist-info/" not in name}
    assert {"py", "typed", "css", "js", "ipynb", "json", "j2"} <= kinds


def test_the_licence_is_in_the_wheel(built: Path) -> None:
    with zipfile.ZipFile(built) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/licenses/LICENSE"))
        assert wheel.read(name) == (ROOT / "LICENSE").read_bytes()


def test_the_metadata_say_what_the_project_says(metadata: Message) -> None:
    assert metadata["Name"] == "optimove-analysis"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    text = metadata.get_payload()
    assert text == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_pythons_that_are_named_are_those_that_are_allowed(metadata: Message) -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(metadata.get_all("Classifier", [])))
    assert named
    assert f">={named[0]}" == metadata["Requires-Python"]
    assert "wheel: PYTHONS ?= " + " ".join(f"python{it}" for it in named) in (
        ROOT / "Makefile"
    ).read_text(encoding="utf-8")


def test_who_installs_no_extra_gets_no_tool(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    plain = {re.split(r"[<>=!;\s\[]", it)[0] for it in required if "extra ==" not in it}
    assert plain == {re.split(r"[<>=!;\s\[]", it)[0] for it in PROJECT["dependencies"]}
    assert not plain & {"pytest", "hypothesis", "jupyterlab", "pandas", "pyarrow", "keyring"}
    assert {"dashboard", "keyring", "spark"} <= {*metadata.get_all("Provides-Extra", [])}


@pytest.mark.holds_a_key  # the tests of keys are in the archive
def test_from_the_source_archive_comes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    sdist = build_sdist(tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = build_wheel(tmp_path / "dist", unpacked)
    assert again.read_bytes() == built.read_bytes()


def test_who_has_the_source_archive_has_what_it_takes_to_go_on(tmp_path: Path) -> None:
    kept = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.split()
    if not kept:
        pytest.skip("this is no checkout")
    names = names_in(build_sdist(tmp_path)) - {"PKG-INFO"}
    hidden = {name for name in kept if name.startswith(".")}
    assert {*kept} - hidden - names == set()
    assert {name.partition("/")[0] for name in names - hidden} <= {
        name.partition("/")[0] for name in kept
    }
