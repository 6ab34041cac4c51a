"""The package's front door."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import optimove_analysis


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
