"""What most users do, one after the other, in one process; run in an empty folder.

With ``brief`` only what needs neither charts nor files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import optimove_analysis as oa
from optimove_analysis.cli import main

RANGE = ("2025-01-01", "2025-10-31")


def from_python(*, brief: bool) -> None:
    with oa.OptimoveClient.sandbox() as client:
        interactions = client.interactions(["000001", "000002", "000003"], *RANGE)
        reached = oa.funnel(interactions, catalogue=client.catalogue())
        if brief:
            return
        chart = oa.charts.funnel(reached)
        for name in ("funnel.html", "funnel.png"):
            oa.charts.save(chart, name)
        oa.forms.CustomerForm(client, customer_id="000001").run()


def from_the_command_line() -> None:
    Path("ids.csv").write_text("customer_id\n000001\n841231\n")
    os.environ["OPTIMOVE_INSTANCE"] = "sandbox"
    days = ("--from", RANGE[0], "--to", RANGE[1])
    assert main(["fetch", "ids.csv", *days, "-o", "interactions.parquet"]) == 0
    assert main(["snapshot", "ids.csv", *days, "-o", "study.oma"]) == 0
    with oa.OptimoveClient.replay("study.oma") as study:
        assert study.interactions(["000001", "841231"], *RANGE).height > 0


if __name__ == "__main__":
    only_briefly = sys.argv[1:] == ["brief"]
    from_python(brief=only_briefly)
    if not only_briefly:
        from_the_command_line()
