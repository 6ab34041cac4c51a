from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS, RAMP
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import TIER_NAMES, TIERS

AS_OF = dt.date(2025, 12, 31)


def table(tiers: dict[str | None, int], **others: Any) -> pl.DataFrame:
    """So many customers of each tier."""
    names = [tier for tier, n in tiers.items() for _ in range(n)]
    row = {
        "sent": 9,
        "delivered": 9,
        "engaged": 0,
        "clicked": 0,
        "last_engaged": None,
        "days_since_engaged": None,
        "click_rate": 0.02,
        "threshold": 0.103,
        "n_ranked": len(names),
        "n_unobserved": 0,
        "unit": "customer",
        "as_of": AS_OF,
        "implied": "lower",
        "opens": "trust",
        "notes": [],
        **others,
    }
    rows = [{"customer_id": str(who), "tier": tier, **row} for who, tier in enumerate(names)]
    return pl.DataFrame(rows, schema=TIERS.schema)


SOME: dict[str | None, int] = {"new": 8, "active": 20, "champion": 4, "cooling": 8}


def test_bars_are_the_tables_customers_and_tiers_stand_in_their_own_order() -> None:
    drawn = records(charts.tiers(table(SOME)))
    assert [record["tier"] for record in drawn] == list(TIER_NAMES)
    assert [record["customers"] for record in drawn] == [4, 20, 8, 0, 0, 8]
    assert [record["share"] for record in drawn] == [0.1, 0.5, 0.2, 0, 0, 0.2]


def test_the_real_table_is_counted_customer_by_customer() -> None:
    frame = pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")
    made = oa.tiers(frame)
    counts = {tier: made["tier"].to_list().count(tier) for tier in TIER_NAMES}
    assert {r["tier"]: r["customers"] for r in records(charts.tiers(made))} == counts


def test_count_and_share_are_written_beside_the_bar() -> None:
    assert [plain(r["text"]) for r in records(charts.tiers(table(SOME)))][1] == "20 (50.0 %)"


def test_each_tier_says_what_it_is() -> None:
    meanings = {r["tier"]: r["meaning"] for r in records(charts.tiers(table(SOME)))}
    assert meanings["cooling"] == "last opened or clicked 31 to 90 days ago"
    assert meanings["new"] == "fewer than 5 messages delivered"


def test_with_opens_ignored_engagement_is_a_click() -> None:
    drawn = records(charts.tiers(table(SOME, opens="ignore")))
    assert drawn[1]["meaning"] == "clicked in the last 30 days"


def test_a_tier_that_is_not_known_has_a_bar_only_where_there_is_one() -> None:
    drawn = records(charts.tiers(table({None: 3, "new": 37})))
    assert (drawn[-1]["tier"], drawn[-1]["customers"]) == ("not known", 3)
    assert "not known" not in {r["tier"] for r in records(charts.tiers(table(SOME)))}


def test_the_ramp_has_no_channels_colour() -> None:
    used = {colour for ramp in RAMP.values() for colour in ramp}
    assert not used & set(CHANNEL_COLOURS.values())


def test_dark_takes_the_dark_ramp_by_its_config_alone() -> None:
    chart = charts.tiers(table(SOME))
    assert isinstance(chart, alt.LayerChart)
    light, dark = chart.to_dict(), charts.themed(chart, "dark").to_dict()
    assert RAMP["dark"][4] in str(dark)
    assert RAMP["light"][4] in str(light)
    assert light["layer"] == dark["layer"]


def test_few_customers_are_grey_and_the_subtitle_says_so() -> None:
    chart = charts.tiers(table({"active": 29}))
    assert {record["ink"] for record in records(chart)} == {"few"}
    assert "Grey: fewer than 30 customers." in told(chart)


def test_the_subtitle_says_how_many_as_of_when_and_what_the_top_tenth_is() -> None:
    text = told(charts.tiers(table(SOME)))
    assert text.startswith("40 customers \u00b7 as of 2025-12-31")
    assert "Top tenth by click rate: 10.3 % or more" in text


def test_columns_in_front_make_panels() -> None:
    two = table(SOME).select(
        pl.when(pl.col("tier") == "new")
        .then(pl.lit("web"))
        .otherwise(pl.lit("shop"))
        .alias("from"),
        pl.all(),
    )
    chart = charts.tiers(two)
    assert {record["group"] for record in records(chart)} == {"From web", "From shop"}
    shares = {r["group"]: r["share"] for r in records(chart) if r["tier"] == "active"}
    assert shares == {"From shop": 20 / 32, "From web": 0}
    assert "From web: of 8 customers" in alt_text(chart)


def test_the_alt_text_reads_as_a_sentence() -> None:
    text = alt_text(charts.tiers(table(SOME)))
    assert "Of 40 customers, champion 4 (10.0 %), active 20 (50.0 %), cooling 8 (20.0 %)" in text


def test_an_empty_table_says_no_customers() -> None:
    assert "no customers" in alt_text(charts.tiers(TIERS.empty()))


def test_a_customer_twice_is_refused() -> None:
    twice = pl.concat([table(SOME), table(SOME)])
    with pytest.raises(SchemaError, match="has 80 rows where it may have one"):
        charts.tiers(twice)


def test_too_many_groups_are_refused() -> None:
    many = table({"new": 30}).select(pl.col("customer_id").alias("one"), pl.all())
    with pytest.raises(InputError, match="30 groups are too many"):
        charts.tiers(many)


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"tiers\(interactions"):
        charts.tiers(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    content = charts.save(charts.tiers(table(SOME)), tmp_path / f"tiers.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
