"""What holds for every chart: of real results of random worlds, and of tables that are odd."""

from __future__ import annotations

import datetime as dt
import functools
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import altair as alt
import polars as pl
import pytest
import vl_convert
from altair.utils import schemapi
from analysis import worlds
from charts.reading import alt_text, plain, records

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import INTERACTIONS, TABLES, Table

PERIODS: Final[dict[str, Any]] = {
    "before": (worlds.DAY0, worlds.DAY0 + dt.timedelta(days=10)),
    "after": (worlds.DAY0 + dt.timedelta(days=11), worlds.DAY0 + dt.timedelta(days=24)),
}
STEPS: Final[dict[str, Any]] = {
    'it\'s "opened"': {"event": "opened"},
    "clicked": {"event": "clicked"},
}
By = Any
T = TypeVar("T")
Makers = dict[str, tuple[Callable[..., Any], Callable[[pl.DataFrame, By], pl.DataFrame]]]
# Each chart by a name, with what its table is made by.
MAKERS: Final[Makers] = {
    "funnel": (charts.funnel, lambda f, by: oa.funnel(f, by=by or "channel_id")),
    "rates": (charts.rates, lambda f, by: oa.rates(f, by=by or "channel_id")),
    "channel_mix": (charts.channel_mix, lambda f, by: oa.channel_mix(f, by=by)),
    "mix over time": (charts.channel_mix, lambda f, by: oa.channel_mix(f, by=by, every="1mo")),
    "diversity": (charts.diversity, lambda f, by: oa.diversity(f, by=by)),
    "diversity over time": (charts.diversity, lambda f, by: oa.diversity(f, by=by, every="1w")),
    "drift": (charts.drift, lambda f, by: oa.drift(f, by=by, **PERIODS)),
    "drift over time": (charts.drift, lambda f, by: oa.drift(f, by=by, every="1w")),
    "explain_change": (
        charts.explain_change,
        lambda f, by: oa.explain_change(f, by=by, **PERIODS),
    ),
    "compare": (
        charts.compare,
        lambda f, by: oa.compare(f, between="channel_id", baseline=504, against=505, by=by),
    ),
    "shrink": (charts.shrink, lambda f, _: oa.shrink(f)),
    "frequency": (charts.frequency, lambda f, by: oa.frequency(f, by=by or "channel_id")),
    "tiers": (charts.tiers, lambda f, _: oa.tiers(f)),
    "recency": (charts.recency, lambda f, by: oa.recency(f, by=by)),
    "preferred_channel": (charts.preferred_channel, lambda f, _: oa.preferred_channel(f)),
    "transitions": (charts.transitions, lambda f, by: oa.transitions(f, by=by)),
    "hand_off": (charts.hand_off, lambda f, by: oa.hand_off(f, by=by)),
    "overlap": (charts.overlap, lambda f, by: oa.overlap(f, by=by)),
    "anomalies": (
        charts.anomalies,
        lambda f, by: oa.anomalies(f, by=by or "channel_id", min_n=2, weeks=2),
    ),
    "audit": (charts.audit, lambda f, by: oa.audit(f, by=by)),
    "journey": (charts.journey, lambda f, _: oa.journey(f)),
    "calendar": (charts.calendar, lambda f, _: oa.journey(f)),
    "time_to_engage": (
        charts.time_to_engage,
        lambda f, by: oa.time_to_engage(f, by=by or "channel_id"),
    ),
    "ordered_funnel": (
        charts.ordered_funnel,
        lambda f, by: oa.ordered_funnel_counts(f, STEPS, within=14, by=by),
    ),
}
NAMES: Final = list(MAKERS)
ODD: Final = "<script>\n\"datum.\" 'x' \\ [0].y \N{SLEUTH OR SPY} " + 300 * "x"
# Columns named as Vega reads paths, as ours are named, and with values of each kind.
ODD_GROUPS: Final[list[pl.Expr]] = [
    pl.when(pl.col("campaign_id") == 1).then(pl.lit(ODD)).alias("value.of[0]"),
    (pl.col("campaign_id") == 1).alias("group"),
    pl.when(pl.col("campaign_id") == 1).then(-0.0).otherwise(0.5).alias("text"),
    pl.date(9999, 12, 28 + pl.min_horizontal("campaign_id", 2)).alias("x"),
]
A_STRUCT: Final = pl.struct(a=pl.col("campaign_id") == 1).alias("colour")


def frame(seed: int, lives: int = 30) -> pl.DataFrame:
    drawn = worlds.rows(random.Random(seed), lives)  # noqa: S311 - no secret
    made = pl.DataFrame(drawn, schema_overrides=dict(INTERACTIONS.schema))
    return INTERACTIONS.check(made).select(INTERACTIONS.names)


class Lazily(Mapping[str, T]):
    """What is made of each chart's name when it is first asked for, and once."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make = functools.cache(make)

    def __getitem__(self, name: str) -> T:
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(MAKERS)

    def __len__(self) -> int:
        return len(MAKERS)


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pl.DataFrame]:
    """The table of each chart, of one world."""
    seen = frame(0)
    return Lazily(lambda name: MAKERS[name][1](seen, ()))


@pytest.fixture(scope="module")
def drawn(tables: Mapping[str, pl.DataFrame]) -> Mapping[str, Any]:
    """Each chart of these, drawn once for all tests that only look at it."""
    return Lazily(lambda name: MAKERS[name][0](tables[name]))


def table_of(made: pl.DataFrame) -> Table:
    known = [table for table in TABLES if set(table.names) <= set(made.columns)]
    return max(known, key=lambda table: len(table.names))


def test_every_chart_is_here() -> None:
    drawn = {draw for draw, _ in MAKERS.values()}
    others = {"channel_colours", "save", "table", "themed"}
    assert drawn == {getattr(charts, name) for name in charts.__all__ if name not in others}


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_fulfils_vega_lites_schema_and_compiles(
    name: str, drawn: Mapping[str, Any]
) -> None:
    spec = drawn[name].to_dict(validate=True)
    assert vl_convert.vegalite_to_vega(spec)["marks"]


def test_the_checks_at_making_are_left_out_here() -> None:
    # Else the tests of this room take several times as long.
    assert not schemapi.DEBUG_MODE


@pytest.mark.parametrize("name", NAMES)
def test_a_hole_is_refused_with_the_names_of_columns_and_function(
    name: str, tables: Mapping[str, pl.DataFrame]
) -> None:
    draw, table = MAKERS[name][0], tables[name]
    columns = table_of(table).columns
    never = next(c for c in reversed(columns) if not (c.nulls or c.optional))
    holed = table.with_columns(pl.lit(None, never.dtype).alias(never.name))
    with pytest.raises(SchemaError, match=rf"\(interactions, .*'{never.name}' is null"):
        draw(holed)
    for column in (c.name for c in columns if c.dtype.is_float()):
        for odd in (float("nan"), float("inf")):
            with pytest.raises(SchemaError, match=f"'{column}' is NaN or infinite"):
                draw(table.with_columns(pl.lit(odd).alias(column)))


@pytest.mark.parametrize("name", NAMES)
def test_tables_without_a_row_and_of_one_are_drawn(
    name: str, tables: Mapping[str, pl.DataFrame]
) -> None:
    draw, table = MAKERS[name][0], tables[name]
    for few in (table.clear(), table.tail(1)):
        assert plain(alt_text(draw(few))).endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_the_last_day_that_there_is_can_be_drawn(
    name: str, tables: Mapping[str, pl.DataFrame]
) -> None:
    draw, table = MAKERS[name][0], tables[name]
    for column in (column for column, kind in table.schema.items() if kind == pl.Date):
        # One of another year would ask for thousands of years of days.
        late = table.with_columns(pl.lit(dt.date.max).alias(column)).unique(
            [c for c in table.columns if table[c].dtype.is_nested() is False], keep="first"
        )
        few = late.head(1)
        assert json.dumps(draw(few).to_dict(validate=False))


@pytest.mark.parametrize(
    "name", sorted(set(NAMES) - {"shrink", "tiers", "preferred_channel", "journey", "calendar"})
)
def test_odd_groups_are_drawn(name: str) -> None:
    draw, make = MAKERS[name]
    # An audit says itself that it cannot put structs in order.
    by = [*ODD_GROUPS, *([] if name == "audit" else [A_STRUCT])]
    table = make(frame(2, 60 if name == "ordered_funnel" else 12), by)
    spec = draw(table).to_dict(validate=False)
    assert all(re.fullmatch(r"\w+", field) for field in fields(spec))
    # What stands in the table stands in the picture; small worlds have not each group of each.
    assert ("<script>" in json.dumps(spec)) == ("<script>" in str(table.rows()))


def fields(part: Any) -> Iterator[str]:
    """Every field that a spec names."""
    if isinstance(part, dict):
        if isinstance(part.get("field"), str):
            yield part["field"]
        for name, inner in part.items():
            if name != "datasets":
                yield from fields(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from fields(inner)


@pytest.mark.parametrize("name", NAMES)
def test_no_field_is_one_that_vega_reads_as_a_path(name: str, drawn: Mapping[str, Any]) -> None:
    spec = drawn[name].to_dict(validate=False)
    assert all(re.fullmatch(r"\w+", field) for field in fields(spec))


@pytest.mark.parametrize("name", NAMES)
def test_light_and_dark_differ_in_config_alone(name: str, drawn: Mapping[str, Any]) -> None:
    chart = drawn[name]
    light, dark = (charts.themed(chart, mode).to_dict(validate=False) for mode in ("light", "dark"))
    assert light.pop("config") != dark.pop("config")
    assert light == dark
    # White, black and the inks are the theme's; what a mark says of itself is a channel's colour.
    said = json.dumps(light).upper()
    assert not re.search(r'"(#FFF|#FFFFFF|#000|#000000|WHITE|BLACK|#1C1F24|#ECEEF1)"', said)


@pytest.mark.parametrize("name", NAMES)
def test_the_records_have_the_numbers_of_the_table(
    name: str, tables: Mapping[str, pl.DataFrame], drawn: Mapping[str, Any]
) -> None:
    """Every rate and its ends, under the name that the table gives it, is one of the table's."""
    table = tables[name]
    seen = records(drawn[name])
    floats = [column for column, kind in table.schema.items() if kind.is_float()]
    for column in floats:
        known = set(table[column].drop_nulls())
        # A share of what never came has no row: it is 0.
        assert {row[column] for row in seen if row.get(column)} <= known | {0.0}


def many_groups(name: str) -> pl.DataFrame:
    """A table of eight groups, each as that of one world."""
    made = MAKERS[name][1](frame(0, 20), ())
    parts = [
        made.select(pl.lit(f"segment number {place}").alias("segment"), pl.all())
        for place in range(8)
    ]
    return pl.concat(parts)


@pytest.mark.parametrize(
    "name", sorted(set(NAMES) - {"journey", "calendar", "mix over time", "preferred_channel"})
)
def test_an_alt_text_of_many_groups_is_sentences_and_not_endless(name: str) -> None:
    table = many_groups(name)
    if "channel" in table.columns and table["channel"].count():
        # Few enough panels for one picture.
        table = table.filter(pl.col("channel").is_null() | (pl.col("channel") == "E-mail"))
    if table.is_empty():
        pytest.fail("nothing is left to draw")
    text = alt_text(MAKERS[name][0](table))
    assert len(text) < 3_500
    assert text.endswith(".")
    assert ".." not in text
    assert "None" not in text
    assert not re.search(r"\bnan\b", text)


def test_what_is_saved_of_an_odd_name_is_the_name(tmp_path: Path) -> None:
    seen = frame(0)
    catalogue = oa.Catalogue(channels={504: "<b>'\"\\ datum. [0].y", 505: "SMS"})
    chart: alt.TopLevelMixin = charts.channel_mix(oa.channel_mix(seen, catalogue=catalogue))
    svg = charts.save(chart, tmp_path / "odd.svg").read_text(encoding="utf-8")
    assert "&lt;b&gt;'\"\\ datum. [0].y" in svg
