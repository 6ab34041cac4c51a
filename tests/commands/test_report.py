"""``report``: from ids to one file, and the same again from its snapshot alone."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from commands.running import COMMAND, RANGE, ROOT, Command
from nbformat.v4 import new_code_cell, new_notebook
from report.pages import Page

from optimove_analysis.client import OptimoveClient
from optimove_analysis.report.kernel import CHART
from optimove_analysis.sandbox import Sandbox

QUICK = ("--quota", "10000/1", "--quiet")


def specs(path: Path) -> list[str]:
    """Return the charts of a notebook that has run, as they stand there."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return [json.dumps(o["data"][CHART]) for o in outputs if CHART in o.get("data", {})]


def everything(path: Path) -> str:
    """Return all that a file says, within its pictures too."""
    text = path.read_text(encoding="utf-8")
    inside = re.findall(r"[A-Za-z0-9+/\n]{200,}={0,2}", text)
    blobs = [base64.b64decode(one.replace("\n", "") + "==", validate=False) for one in inside]
    return text + "".join(blob.decode("latin-1") for blob in blobs)


def test_a_pseudonymised_report_is_made_again_elsewhere_without_account_to_the_byte(
    command: Command, ids: list[str], box: Sandbox, tmp_path: Path
) -> None:
    ids[:] = [f"{number:06}" for number in range(100, 1300, 100)]
    (tmp_path / "ids.csv").write_text("customer_id\n" + "\n".join(ids) + "\n")
    asked = ("report", "--customers", "ids.csv", *RANGE, "--out", "first.html", *QUICK)
    done = command(*asked, "--pseudonymise", "--notebook", "--set", "window=14")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    first = tmp_path / "first.html"
    facts = Page(first).facts()
    assert "with pseudonyms in place of customer ids" in facts["Snapshot"]
    for name in ("first.html", "first.ipynb"):
        said = everything(tmp_path / name)
        # What is rare comes first, and the digit or point before it is looked at behind it: else
        # each place of megabytes would be.
        assert [one for one in ids if re.search(rf"{one}(?<![\d.]{one})(?!\d)", said)] == [], name
        assert box.api_key not in said

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "first.oma", elsewhere)
    again = shlex.split(facts["Made again by"])
    assert again[0] == "optimove-analysis"
    served = len(box.log)
    bare = {name: it for name, it in os.environ.items() if not name.startswith("OPTIMOVE_")}
    ran = subprocess.run(
        [*COMMAND, *again[1:], "--notebook", "--json"],
        cwd=elsewhere,
        # Another number of threads adds up in another order, where anything depends on that.
        env={**bare, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "files": ["first.html", "first.ipynb"],
        "snapshot": "first.oma",
    }
    assert len(box.log) == served
    assert (elsewhere / "first.html").read_bytes() == first.read_bytes()
    charts = specs(elsewhere / "first.ipynb")
    assert len(charts) == 7
    assert charts == specs(tmp_path / "first.ipynb")
    assert sorted(file.name for file in elsewhere.iterdir()) == [
        *("first.html", "first.ipynb", "first.oma")
    ]


def test_some_customers_of_a_snapshot_have_a_report_and_a_snapshot_of_their_own(
    command: Command, ids: list[str], tmp_path: Path
) -> None:
    study = ("snapshot", "ids.csv", *RANGE, "-o", "study.oma", *QUICK)
    assert command.inside(*study).returncode == 0
    one = ("report", "--snapshot", "study.oma", "--customer", ids[2], "--out", "one.html")
    done = command.inside(*one, "--template", "customer-dossier")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Report: one.html",
        "It rests on one.oma, and can be made again from it.",
    ]
    assert f"Customer {ids[2]}" in Page(tmp_path / "one.html").of("h2")
    with OptimoveClient.replay(tmp_path / "one.oma") as client:
        assert client.asked()["customer_id"].to_list() == [ids[2]]


def test_the_templates_and_their_parameters_are_listed(command: Command) -> None:
    said = command.inside("report", "--list").stdout
    for line in ("customer-dossier", "    window = 7", "    between = None", "    lookback = 180"):
        assert line in said


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ((), 2, "where to? --out report.html"),
        (("--out", "r.html"), 2, "of whom? --customers ids.csv"),
        (("--out", "r.html", "--customers", "ids.csv"), 2, "of which days? --from 2025-01-01"),
        (("--out", "r.html", "--set", "window"), 2, "--set window: give it as NAME=VALUE"),
        (("--out", "r.html", "--compare", "1002"), 2, "--compare 1002: give a column with two"),
        (("--out", "r.html", "--set", "windw=1"), 1, "did you mean 'window'"),
        (("--out", "r.txt", "--snapshot", "s.oma"), 1, "a name that ends with .html"),
        (("--out", "r.html", "--snapshot", "s.oma"), 1, "there is no snapshot s.oma"),
        (("--out", "r.html", "--template", "dossier"), 1, "did you mean 'customer-dossier'"),
        (("--out", "no/r.html", "--snapshot", "s.oma"), 1, "there is no folder no"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_sent(
    command: Command, box: Sandbox, options: tuple[str, ...], status: int, said: str
) -> None:
    (command.folder / "ids.csv").write_text("000001\n")
    done = command.inside("report", *options)
    assert done.returncode == status
    assert said in done.stderr
    assert box.log == []


@pytest.mark.usefixtures("ids")
def test_ctrl_c_ends_the_kernel_too_and_writes_nothing(command: Command, tmp_path: Path) -> None:
    assert command.inside("snapshot", "ids.csv", *RANGE, "-o", "study.oma", *QUICK).returncode == 0
    wait = "import os, time\nopen('kernel.txt', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    parameters = new_code_cell("snapshot = 'x'", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[parameters, new_code_cell(wait)]), tmp_path / "slow.ipynb")
    asked = ("report", "--template", "slow.ipynb", "--snapshot", "study.oma", "--out", "r.html")
    running = command.start(*asked)
    for _ in range(600):
        if (tmp_path / "kernel.txt").exists() and (tmp_path / "kernel.txt").read_text():
            break
        time.sleep(0.1)
    kernel = int((tmp_path / "kernel.txt").read_text())
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, "interrupted" in said) == (130, True)
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    assert not (tmp_path / "r.html").exists()


def test_neither_an_id_nor_somebodys_file_is_lost_by_the_way(
    command: Command, ids: list[str], tmp_path: Path
) -> None:
    ask = ("report", "--customers", "ids.csv", *RANGE, *QUICK)
    named = command.inside(*ask, "--out", "r.html", "--pseudonymise", "--set", f"title=Of {ids[0]}")
    assert "title holds a customer's id" in named.stderr
    named = command.inside(*ask, "--out", f"{ids[0]}.html", "--pseudonymise")
    assert "--out holds a customer's id" in named.stderr

    theirs = tmp_path / "r.oma"
    theirs.write_bytes(b"somebody's only copy")
    kept = command.inside(*ask, "--out", "r.html")
    assert "r.oma is there already, and is no report's" in kept.stderr
    assert theirs.read_bytes() == b"somebody's only copy"
    assert sorted(file.suffix for file in tmp_path.iterdir() if file.is_file()) == [".csv", ".oma"]
