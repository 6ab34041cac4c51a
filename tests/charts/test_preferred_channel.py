from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told
from charts.tables import wilson

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import PREFERRED_CHANNEL


def row(
    channel: str,
    channel_id: int | None,
    engaged: int,
    received: int,
    rank: int | None,
    **others: Any,
) -> dict[str, Any]:
    low, high = wilson(engaged, received) if received else (None, None)
    return {
        "customer_id": "A",
        "status": "preferred",
        "rank": rank,
        "channel_id": channel_id,
        "channel": channel,
        "rate": engaged / received if received else None,
        "lo": low,
        "hi": high,
        "engaged": engaged,
        "received": received,
        "received_as": "delivered",
        "last_engaged": None,
        "n_implied": 0,
        "n_late": 0,
        "n_immature": 1,
        "n_unobserved": 0,
        "small": received < 30,
        "method": "wilson",
        "unit": "message",
        "lookback": 180,
        "window": 7,
        "as_of": dt.date(2025, 12, 31),
        "implied": "lower",
        "opens": "trust",
        "notes": [],
        **others,
    }


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PREFERRED_CHANNEL.schema)


def some(**others: Any) -> pl.DataFrame:
    return table(
        row("SMS", 505, 30, 40, 1, **others),
        row("E-mail", 504, 4, 40, 2, **others),
        row("Push", 506, 1, 2, None, **others),
        row("Call centre", 502, 0, 0, None, **others),
    )


def test_the_picture_holds_the_tables_own_numbers_in_its_order() -> None:
    frame = pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")
    made = oa.preferred_channel(frame.filter(pl.col("customer_id") == "002409"))
    names = ["rate", "lo", "hi", "engaged", "received"]
    drawn = records(charts.preferred_channel(made))
    assert [tuple(record[name] for name in names) for record in drawn] == made.select(names).rows()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("preferred", "Customer A prefers SMS"),
        ("undecided", "Customer A: undecided which channel is preferred"),
        ("insufficient", "Customer A: too little to say which channel is preferred"),
    ],
)
def test_the_title_says_what_it_comes_to(status: str, title: str) -> None:
    chart = charts.preferred_channel(some(status=status))
    assert chart.to_dict()["title"]["text"] == title
    assert alt_text(chart).startswith(f"{title}.")


def test_a_title_of_the_users_own_does_not_hide_what_it_comes_to() -> None:
    assert "Customer A prefers SMS." in told(charts.preferred_channel(some(), title="Mine"))


def test_what_has_no_rank_is_a_ring_and_what_has_no_rate_says_so() -> None:
    drawn = records(charts.preferred_channel(some()))
    assert [record["filled"] for record in drawn] == [1, 1, 0, 0]
    assert plain(drawn[0]["text"]) == "30 / 40 = 75.0 %  (59.8 to 85.8 %)"
    assert plain(drawn[2]["text"]) == "1 / 2 = 50.0 %, no rank"
    assert drawn[3]["text"] == "no rate; 0 received"


def test_few_received_are_grey_and_the_subtitle_says_so() -> None:
    chart = charts.preferred_channel(some())
    assert [record["ink"] for record in records(chart)][:3] == [
        "SMS",
        "E-mail",
        "fewer than 30 received",
    ]
    assert "Grey: fewer than 30 received." in told(chart)


def test_the_subtitle_says_how_many_days_window_and_as_of() -> None:
    text = told(charts.preferred_channel(some()))
    assert "82 messages received in the last 180 days \u00b7 window 7 days from the send" in text
    assert "as of 2025-12-31" in text


def test_several_customers_are_panels_with_what_each_comes_to() -> None:
    both = pl.concat([some(), some(customer_id="<i>B</i>", status="undecided")])
    spec = charts.preferred_channel(both).to_dict()
    assert [panel["title"]["text"] for panel in spec["vconcat"]] == [
        "Customer A prefers SMS",
        "Customer <i>B</i>: undecided which channel is preferred",
    ]


def test_two_channels_of_one_name_are_told_apart() -> None:
    two = table(row("SMS", 505, 30, 40, 1), row("SMS", 601, 4, 40, 2), row("SMS", None, 0, 9, None))
    drawn = records(charts.preferred_channel(two))
    assert len({record["name"] for record in drawn}) == 3


def test_too_many_customers_are_refused_with_what_to_do() -> None:
    many = pl.concat([some(customer_id=str(who)) for who in range(13)])
    with pytest.raises(InputError, match=r"13 customers .*group_by\('status'\)"):
        charts.preferred_channel(many)


def test_an_empty_table_says_no_customers() -> None:
    assert "no customers" in alt_text(charts.preferred_channel(PREFERRED_CHANNEL.empty()))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"preferred_channel\(interactions"):
        charts.preferred_channel(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    path = charts.save(charts.preferred_channel(some()), tmp_path / f"preferred.{kind}")
    assert path.read_bytes().startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
