"""The package's front door."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import optimove_analysis

ROOT = Path(__file__).parents[1]


def python(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_name_that_is_promised_is_there() -> None:
    for name in optimove_analysis.__all__:
        assert getattr(optimove_analysis, name) is not None
    assert dir(optimove_analysis) == sorted(optimove_analysis.__all__)


def test_names_are_promised_in_order() -> None:
    names = [name for name in optimove_analysis.__all__ if not name.startswith("_")]
    assert names == sorted(names)


def test_importing_the_package_loads_nothing_but_its_table_of_contents() -> None:
    # Why it takes a few hundredths of a second; `make bench` measures that.
    loaded = python(
        "import sys; before = {*sys.modules}; import optimove_analysis;"
        "print(*({*sys.modules} - before))"
    ).split()
    others = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others == {"optimove_analysis"}
    assert not {"asyncio", "http", "json", "sqlite3", "urllib"} & {*loaded}


def test_analysis_loads_no_network_drawing_or_widgets() -> None:
    loaded = python("import optimove_analysis.analysis, sys; print(*sys.modules)").split()
    for heavy in ("altair", "requests", "ipywidgets", "starlette", "vl_convert", "tqdm"):
        assert heavy not in loaded


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(optimove_analysis, "funnels")


def test_the_version_is_the_installed_one() -> None:
    assert optimove_analysis.__version__ == version("optimove-analysis")


def test_the_version_is_written_once_and_the_changelog_begins_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## ([^\s,]+)", changelog, re.MULTILINE)[0] == optimove_analysis.__version__
