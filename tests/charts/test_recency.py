from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from charts.reading import alt_text, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import RECENCY


def table(days: list[int | None], *, unknown: int = 0) -> pl.DataFrame:
    """A customer for each number of days; None never engaged, the unknown did on no known day."""
    rows = [(day, 0 if day is None else 1) for day in days] + [(None, 2)] * unknown
    return pl.DataFrame(
        [
            {
                "customer_id": str(who),
                "sent": 9,
                "delivered": 9,
                "engaged": engaged,
                "clicked": 0,
                "days_since_engaged": day,
                "n_unobserved": 0,
                "unit": "customer",
                "as_of": dt.date(2025, 12, 31),
                "implied": "lower",
                "opens": "trust",
                "notes": [],
            }
            for who, (day, engaged) in enumerate(rows)
        ],
        schema=RECENCY.schema,
    )


def bins(drawn: pl.DataFrame) -> dict[str, int]:
    found = [record for record in records(charts.recency(drawn)) if "customers" in record]
    return {record["bin"]: record["customers"] for record in found if record["customers"]}


def test_without_opens_the_days_are_those_since_a_click() -> None:
    trusted = table([1, 2, 3])
    assert "Days from the last open or click to that day" in told(charts.recency(trusted))
    ignored = trusted.with_columns(opens=pl.lit("ignore"))
    assert "Days from the last click to that day" in told(charts.recency(ignored))


def test_bins_end_where_the_tiers_do() -> None:
    days = [0, 10, 11, 30, 31, 90, 91, 180, 181, 999, None]
    assert bins(table(days)) == {
        "0 to 10": 2,
        "11 to 20": 1,
        "21 to 30": 1,
        "31 to 40": 1,
        "81 to 90": 1,
        "91 to 100": 1,
        "171 to 180": 1,
        "181+": 2,
        "never": 1,
    }


def test_every_day_is_in_the_bin_that_names_it() -> None:
    counts = bins(table([day for day in range(181) for _ in range(day + 1)]))
    ends = {name: tuple(map(int, name.split(" to "))) for name in counts}
    # As many customers as the day's number and one: no day can stand in for another.
    wanted = {name: sum(range(low + 1, high + 2)) for name, (low, high) in ends.items()}
    assert counts == wanted
    assert sum(counts.values()) == sum(range(182))


def test_the_real_table_loses_nobody() -> None:
    frame = pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")
    made = oa.recency(frame)
    counts = bins(made)
    assert sum(counts.values()) == made.height
    days = made["days_since_engaged"].to_list()
    assert counts["11 to 20"] == sum(1 for day in days if day is not None and 11 <= day <= 20)
    assert counts["never"] == days.count(None)


def test_who_engaged_on_no_known_day_is_not_among_those_who_never_did() -> None:
    assert bins(table([None, None], unknown=3)) == {"never": 2, "not known": 3}


def test_by_channel_there_is_a_panel_a_channel() -> None:
    frame = pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")
    drawn = records(charts.recency(oa.recency(frame, by="channel_id")))
    panels = {record["group"] for record in drawn if "group" in record}
    assert panels == {"Call centre", "E-mail", "SMS", "Push", "Web push", "In-app"}


def test_the_alt_text_counts_by_the_tiers_days() -> None:
    text = alt_text(charts.recency(table([0, 30, 31, 400, None])))
    assert "Of 5 customers, 0 to 30 days 2 (40.0 %), 31 to 90 days 1 (20.0 %)" in text


def test_few_customers_are_grey_and_the_subtitle_says_so() -> None:
    text = told(charts.recency(table([1, 2])))
    assert text.startswith("2 customers \u00b7 as of 2025-12-31")
    assert "Grey: fewer than 30 customers." in text


def test_an_empty_table_says_no_customers() -> None:
    assert "no customers" in alt_text(charts.recency(RECENCY.empty()))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"recency\(interactions"):
        charts.recency(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    chart = charts.recency(table([0, 44, None], unknown=1))
    content = charts.save(chart, tmp_path / f"recency.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
