"""Reports that are really made: each on a kernel of its own, over a real snapshot."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from report.conftest import END, IDS, START
from report.pages import Page

from optimove_analysis import (
    Catalogue,
    channel_mix,
    compare,
    dossier,
    explain_change,
    preferred_channel,
    rates,
    report,
)
from optimove_analysis.charts import words
from optimove_analysis.client import OptimoveClient
from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.report.from_template import parameters_of
from optimove_analysis.report.kernel import CHART


def told(page: Page) -> str:
    return "\n".join(page.of("li"))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def asked(study: Path) -> tuple[pl.DataFrame, Catalogue]:
    with OptimoveClient.replay(study) as client:
        return client.interactions(IDS, START, END), client.catalogue()


def made(tmp_path: Path, template: str, study: Path, **parameters: Any) -> Page:
    path = report.build(template, tmp_path / "report.html", snapshot=study, **parameters)
    page = Page(path)
    facts = page.facts()
    assert facts["Template"] == template
    assert facts["Fetched"][:2] == "20"
    assert facts["Interactions"].endswith("customers")
    assert shlex.split(facts["Made again by"])[:4] == [
        *("optimove-analysis", "report", "--template", template)
    ]
    assert "Methods" in page.of("h2")
    assert any(text.startswith("The interactions come from the snapshot") for text in page.of("p"))
    return page


def test_the_report_of_an_audience_says_what_the_analysis_does(
    study: Path, tmp_path: Path, asked: tuple[pl.DataFrame, Catalogue]
) -> None:
    page = made(tmp_path, "audience-engagement", study, window=14, title="Q4 <plan>")
    frame, names = asked
    row = rates(frame, window=14, catalogue=names).row(
        by_predicate=(pl.col("rate") == "click rate") & (pl.col("channel") == "SMS"), named=True
    )
    interval = words.interval(row["lo"], row["hi"])
    assert plain(f"SMS: click rate {words.percent(row['value'])} (") in told(page)
    assert plain(interval) in told(page)
    assert page.of("title") == ["Q4 <plan>"]
    assert page.facts()["Parameters"].startswith("window = 14")
    assert page.facts()["Data updated through"] == "2025-12-31"
    assert page.facts()["Data complete through"] == END
    assert len(page.attributes("figure")) == 7


def test_the_report_on_channels_says_what_the_analysis_does(
    study: Path, tmp_path: Path, asked: tuple[pl.DataFrame, Catalogue]
) -> None:
    page = made(tmp_path, "channel-strategy", study, start=START, end=END)
    frame, names = asked
    mix = channel_mix(frame, catalogue=names).filter(channel="E-mail").row(0, named=True)
    assert plain(f"index {words.ratio(mix['index'])}") in told(page)
    mail = preferred_channel(frame, catalogue=names).filter(rank=1, channel="E-mail")["status"]
    by_status = ["preferred", "undecided", "insufficient"]
    row = [f"{(mail == status).sum()}" for status in by_status]
    cells = page.of("td")
    assert row in [cells[place : place + 3] for place in range(len(cells))]
    assert "--from 2025-01-01 --to 2025-10-31" in page.facts()["Made again by"]


def test_the_report_of_two_periods_says_what_the_analysis_does(
    study: Path, tmp_path: Path, asked: tuple[pl.DataFrame, Catalogue]
) -> None:
    page = made(tmp_path, "campaign-comparison", study, between="2025-06-01")
    frame, names = asked
    late = pl.col("send_date") >= pl.date(2025, 6, 1)
    pair = compare(frame, between=late, rate="click rate", catalogue=names).row(0, named=True)
    assert plain(words.percent(pair["value"])) in told(page)
    assert plain(words.percent(pair["value0"])) in told(page)
    assert "What was sent from 2025-06-01 on, against what was sent before" in " ".join(
        page.of("p")
    )
    before, after = (START, "2025-05-31"), ("2025-06-01", END)
    change = explain_change(frame, before=before, after=after, catalogue=names)
    whole = change.row(-1, named=True)
    assert whole["channel"] is None
    assert f"a change of {whole['change'] * 100:+.1f} points".replace("-", "\u2212") in told(page)
    assert len(page.attributes("figure")) == 4


def test_the_dossiers_of_some_customers_are_those_of_the_analysis(
    study: Path, tmp_path: Path, asked: tuple[pl.DataFrame, Catalogue]
) -> None:
    page = made(tmp_path, "customer-dossier", study, customers=IDS[:2])
    frame, names = asked
    assert page.of("h2")[:2] == [f"Customer {one}" for one in IDS[:2]]
    facts = dossier(frame, IDS[0], catalogue=names).facts()
    assert facts["Messages"] in page.of("dd")


OWN = """\
import os

import altair as alt
import polars as pl
from optimove_analysis import OptimoveClient, report

alt.renderers.enable("jupyter", offline=True)
client = OptimoveClient.replay(snapshot)
customers, start, end = report.audience(client)
frame = client.interactions(customers, start, end)
report.heading(f"{word} of {len(customers)}", f"{[n for n in os.environ if 'OPTIMOVE' in n]}")
"""


def own(path: Path, *sources: str) -> Path:
    parameters = new_code_cell(
        'snapshot = "x.oma"\nword = "Rows"', metadata={"tags": ["parameters"]}
    )
    cells = [new_markdown_cell("*Mine*"), parameters, *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_a_template_of_ones_own_is_run_the_same_way(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMOVE_API_KEY", "a-key-that-no-kernel-is-to-see")
    chart = "alt.Chart(frame.head(5).select('channel_id')).mark_bar().encode(x='channel_id')"
    mine = own(tmp_path / "mine.ipynb", OWN, chart, "print('by the way')")
    begun: list[tuple[int, int]] = []
    path = report.build(
        mine,
        tmp_path / "out" / "r.html",
        snapshot=study,
        notebook=True,
        word="Channels",
        on_cell=lambda cell, count: begun.append((cell, count)),
    )
    page = Page(path)
    assert page.of("h1") == ["Channels of 24"]
    assert "[]" in page.of("p")
    assert page.of("em") == ["Mine"]
    assert "by the way" in "".join(page.of("pre"))
    assert len(page.attributes("figure")) == 1
    assert begun == [(cell, 7) for cell in range(1, 8)]

    ran = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    (output,) = ran.cells[4].outputs
    assert set(output.data) == {CHART, "image/png", "text/plain"}
    assert [cell.get("execution_count") for cell in ran.cells] == [None, 1, 2, 3, 4, 5, 6]
    assert "a-key-that" not in json.dumps(ran) + page.source
    assert "word = 'Channels'" in ran.cells[2].source


@pytest.mark.parametrize(
    ("source", "timeout", "said"),
    [
        (
            "\n1 / 0",
            60,
            r"mine.ipynb: cell 4 \('1 / 0'\) failed with ZeroDivisionError: division by",
        ),
        ("import time\ntime.sleep(60)", 2, r"cell 4 \('import time'\) took more than 2 seconds"),
        ("import os\nos._exit(1)", 60, r"the kernel died after cell 4 \('import os'\) began"),
    ],
)
def test_a_cell_that_fails_is_named_and_nothing_is_written(
    study: Path, tmp_path: Path, source: str, timeout: int, said: str
) -> None:
    mine = own(tmp_path / "mine.ipynb", source)
    with pytest.raises(OptimoveAnalysisError, match=said):
        report.build(mine, tmp_path / "r.html", snapshot=study, timeout=timeout)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.ipynb"]


def test_what_cannot_be_made_is_said_before_anything_runs(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"template": "chanel-strategy"}, "did you mean 'channel-strategy'"),
        ({"template": "none.ipynb"}, "there is no notebook none.ipynb"),
        ({"template": __file__}, "Or give a notebook's path"),
        ({"path": tmp_path / "r.docx"}, r"a name that ends with \.html"),
        ({"snapshot": tmp_path / "none.oma"}, "there is no snapshot"),
        ({"windw": 3}, "did you mean 'window'"),
    ]
    for change, said in wrong:
        asked = {"template": "channel-strategy", "path": out, "snapshot": study, **change}
        with pytest.raises(InputError, match=said):
            report.build(**asked)
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    with pytest.raises(InputError, match="cannot be read as a notebook"):
        report.build(broken, out, snapshot=study)


def test_all_templates_can_be_asked_of_the_same_things() -> None:
    for name in report.templates():
        known = parameters_of(name)
        assert list(known)[:6] == ["snapshot", "start", "end", "window", "opens", "catalogue"]
        assert "title" in known


def test_an_audience_is_whom_the_snapshot_was_asked_about(study: Path) -> None:
    with OptimoveClient.replay(study) as client:
        ids, start, end = report.audience(client)
        assert (ids, str(start), str(end)) == (IDS, START, END)
        assert report.audience(client, START, END, ["000007", "000007"]).customers == ["000007"]
        with pytest.raises(InputError, match=r"2025-01-01 to 2025-10-31"):
            report.audience(client, "2025-02-01", END)
