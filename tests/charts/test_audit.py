from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import AUDIT, CHECKS


def sample() -> pl.DataFrame:
    return pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")


def clean() -> pl.DataFrame:
    return oa.audit(sample()).with_columns(
        severity=pl.lit("ok", AUDIT["severity"].dtype),
        count=pl.when(pl.col("count").is_not_null()).then(pl.lit(0, pl.Int64)),
        share=pl.when(pl.col("share").is_not_null()).then(0.0),
    )


def marks(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "check" in record]


def test_what_was_found_is_there_with_the_tables_own_numbers_worst_first() -> None:
    table = oa.audit(sample()).with_columns(
        severity=pl.when(pl.col("check") == "control")
        .then(pl.lit("error", AUDIT["severity"].dtype))
        .otherwise("severity")
    )
    drawn = marks(charts.audit(table))
    found = table.filter(pl.col("severity") != "ok")
    seen = {r["check"]: (r["severity"], r["count"], r["share"]) for r in drawn}
    rows = found.select("check", "severity", "count", "share").rows()
    assert seen == {check: tuple(rest) for check, *rest in rows}
    assert drawn[0]["check"] == "control"
    ranks = [["error", "warning", "note"].index(record["severity"]) for record in drawn]
    assert ranks == sorted(ranks)


def test_everything_has_all_checks_and_says_which_were_not_made() -> None:
    drawn = marks(charts.audit(oa.audit(sample()), everything=True))
    assert {record["check"] for record in drawn} == set(CHECKS)
    unmade = {record["check"] for record in drawn if record["severity"] == "not made"}
    assert unmade == {"event_name", "channel_name", "before_range", "after_range"}


def test_count_total_and_share_are_written() -> None:
    (one,) = [r for r in marks(charts.audit(oa.audit(sample()))) if r["check"] == "no_send"]
    assert plain(one["of"]) == "64 / 18,185 messages = 0.35 %"  # 0.352


def test_every_sentence_is_there_whole_however_narrow() -> None:
    table = oa.audit(sample()).filter(pl.col("severity") != "ok")
    lines = [r for r in records(charts.audit(table, width=200)) if "strong" in r]
    text = " ".join(line["text"] for line in lines)
    for sentence in [*table["what"], *table["what_to_do"].drop_nulls()]:
        assert sentence in text


def test_lines_do_not_lie_upon_each_other() -> None:
    chart = charts.audit(oa.audit(sample()), width=200, everything=True)
    places = sorted(record["y"] for record in records(chart) if "strong" in record)
    assert min(b - a for a, b in itertools.pairwise(places)) >= 15


def test_the_title_counts_what_was_found() -> None:
    chart = charts.audit(oa.audit(sample()))
    assert chart.to_dict()["title"]["text"] == "Audit: 4 warnings and 4 notes"
    assert "40,511 rows, 18,185 messages and 6 channels" in told(chart)
    assert "Nothing found by 14 checks; 4 checks not made." in told(chart)


def test_nothing_found_is_said() -> None:
    text = alt_text(charts.audit(clean()))
    assert "nothing found. By 22 checks of 40,511 rows, 18,185 messages and 6 channels." in text


def test_everything_of_a_clean_table_is_drawn() -> None:
    chart = charts.audit(clean(), everything=True)
    assert len(marks(chart)) == len(CHECKS)
    assert chart.to_dict()["title"]["text"] == "Audit: nothing found"


def test_an_empty_table_says_that_no_check_was_made() -> None:
    assert "No check was made" in alt_text(charts.audit(AUDIT.empty()))


def test_groups_are_blocks_and_one_without_findings_says_so() -> None:
    both = pl.concat(
        [
            oa.audit(sample()).select(pl.lit("vip").alias("segment"), pl.all()),
            clean().select(pl.lit("rest").alias("segment"), pl.all()),
        ]
    )
    chart = charts.audit(both)
    assert [one["title"]["text"] for one in chart.to_dict()["vconcat"]] == [
        "Segment vip",
        "Segment rest",
    ]
    assert "Segment rest: Nothing found." in alt_text(chart)
    assert "Nothing found." in [record.get("text") for record in records(chart)]


def test_the_alt_text_tells_each_finding() -> None:
    text = alt_text(charts.audit(oa.audit(sample())))
    assert "Warning: 64 messages have no sent row" in text


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"audit\(interactions"):
        charts.audit(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    path = charts.save(charts.audit(oa.audit(sample())), tmp_path / f"audit.{kind}")
    assert path.read_bytes().startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
