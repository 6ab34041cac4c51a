"""The overlap's picture: the table's numbers, exact sets under their bars, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from analysis.events import EMAIL, PUSH, SMS, frame, on
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS, SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import OVERLAP, TRANSITIONS

SAMPLE = Path(__file__).parents[2] / "data/interactions.parquet"


def reached(customer: str, *channels: int | None, **ids: Any) -> list[dict[str, Any]]:
    return [on(3, "sent", customer_id=customer, channel_id=one, **ids) for one in channels]


def audience() -> pl.DataFrame:
    rows = [row for n in range(25) for row in reached(f"a{n}", EMAIL, SMS)]
    rows += [row for n in range(12) for row in reached(f"b{n}", EMAIL)]
    return frame(*rows, *reached("c", PUSH), on(4, "clicked", customer_id="a1"))


def sets(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "k_of_n" in record]


def dots(chart: alt.TopLevelMixin) -> dict[int, set[str]]:
    """The names that have a full dot, by the place of the set."""
    found: dict[int, set[str]] = {one["place"]: set() for one in sets(chart)}
    for record in records(chart):
        if record.get("is_in"):
            found[record["place"]].add(record["name"])
    return found


def totals(chart: alt.TopLevelMixin) -> list[tuple[str, int]]:
    """The channels from the top, each with its own customers."""
    rows = [r for r in records(chart) if "name" in r and "customers" in r]
    return [(row["name"], row["customers"]) for row in sorted(rows, key=lambda row: row["row"])]


def test_the_picture_holds_the_tables_own_numbers_in_its_order() -> None:
    table = oa.overlap(pl.read_parquet(SAMPLE), of="engaged")
    chart = charts.overlap(table)
    names = ("customers", "total", "share", "messages", "small")
    assert [tuple(one[name] for name in names) for one in sets(chart)] == (
        table.head(20).select(names).rows()
    )
    assert list(dots(chart).values()) == [set(one) for one in table.head(20)["channels"]]
    own = table.select("channels", "channel_customers").explode("channels", "channel_customers")
    assert dict(totals(chart)) == dict(own.unique().iter_rows())
    ends = table.head(20).select(pl.col("lo", "hi") * pl.col("total")).rows()
    assert [(one["lo_count"], one["hi_count"]) for one in sets(chart)] == ends


def test_channels_stand_by_what_they_reached_and_in_their_colours() -> None:
    chart = charts.overlap(oa.overlap(audience()))
    assert totals(chart) == [("E-mail", 37), ("SMS", 25), ("Push", 1)]
    assert dots(chart) == {0: {"E-mail", "SMS"}, 1: {"E-mail"}, 2: {"Push"}}
    scales = [
        layer["encoding"]["color"]["scale"]
        for layer in chart.to_dict()["concat"][0]["layer"]
        if layer["encoding"].get("color", {}).get("field") == "name"
    ]
    assert len(scales) == 2
    for scale in scales:
        colours = dict(zip(scale["domain"], scale["range"], strict=True))
        assert colours["SMS"] == CHANNEL_COLOURS["sms"]


def test_dots_are_linked_from_the_first_to_the_last_of_the_set() -> None:
    chart = charts.overlap(oa.overlap(audience()))
    links = [r for r in records(chart) if set(r) == {"place", "row", "to"}]
    assert links == [
        {"place": 0, "row": 0, "to": 1},
        {"place": 1, "row": 0, "to": 0},
        {"place": 2, "row": 2, "to": 2},
    ]


def test_a_tooltip_has_k_n_and_the_interval() -> None:
    first = sets(charts.overlap(oa.overlap(audience())))[0]
    assert first["channels"] == "E-mail and SMS"
    assert plain(first["k_of_n"]).startswith("25 / 38 = 65.8 % (")


def test_sets_beyond_the_twentieth_are_said_in_words() -> None:
    # Customer n is reached by the channels of n's binary digits: 31 sets of one customer each,
    # and one more of each of the first.
    bits = [[EMAIL + b for b in range(5) if n >> b & 1] for n in range(1, 32)]
    rows = [row for n, own in enumerate(bits) for row in reached(f"c{n}", *own)]
    rows += [row for n, own in enumerate(bits[:8]) for row in reached(f"d{n}", *own)]
    chart = charts.overlap(oa.overlap(frame(*rows)))
    assert len(sets(chart)) == 20
    assert "11 smaller sets with 11 customers are not drawn." in told(chart)
    assert alt_text(chart).endswith("26 further sets with 29 customers.")
    one_more = charts.overlap(oa.overlap(frame(*rows)).head(21))
    assert "1 smaller set with 1 customer is not drawn." in told(one_more)
    # What is not drawn still is in the channels' own customers: 16 of 31, and 4 of the first 8.
    assert dict(totals(chart))["E-mail"] == 20


def test_whom_nothing_reached_has_a_bar_without_a_dot() -> None:
    chart = charts.overlap(oa.overlap(audience(), of="engaged"))
    assert dots(chart) == {0: set(), 1: {"E-mail"}}
    assert sets(chart)[0]["channels"] == "no channel"
    assert "No dot: no channel." in told(chart)
    assert chart.to_dict()["title"]["text"] == "Which channels engage the same customers"
    nobody = charts.overlap(oa.overlap(frame(on(3, "sent")), of="engaged"))
    assert "Of 1 customer with a message that counts no channel reached any" in told(nobody)


def test_few_customers_are_grey_and_the_subtitle_says_so() -> None:
    few = charts.overlap(oa.overlap(frame(*reached("A", EMAIL))))
    assert [one["small"] for one in sets(few)] == [True]
    assert "Grey: fewer than 30 customers." in told(few)
    many = charts.overlap(oa.overlap(audience()))
    assert "Grey" not in told(many)
    bars = many.to_dict()["concat"][0]["layer"][1]["encoding"]["color"]["scale"]
    assert (bars["domain"], bars["range"]) == ([False, True], [TOTAL_COLOUR, SMALL_COLOUR])


def test_the_subtitle_says_n_unit_window_day_and_what_reached_is() -> None:
    sent = told(charts.overlap(oa.overlap(audience())))
    assert "38 customers \u00b7 Unit: customer \u00b7 window 7 days from the send" in sent
    assert "Reached: a message was sent. Thin line: 95 % interval." in sent


def test_the_alt_text_reads_as_sentences() -> None:
    text = alt_text(charts.overlap(oa.overlap(audience())))
    assert "Of 38 customers, reached at all: E-mail 37, SMS 25 and Push 1." in text
    assert "Reached by exactly: E-mail and SMS 25 customers (65.8 %, " in text


def test_groups_are_panels_with_their_own_sets() -> None:
    rows = reached("A", EMAIL, SMS, template_id=1) + reached("A", PUSH, template_id=2)
    chart = charts.overlap(oa.overlap(frame(*rows), by="template_id"))
    titles = [panel["title"]["text"] for panel in chart.to_dict()["concat"]]
    assert titles == ["Template 1", "Template 2"]
    assert "Template 2: Of 1 customer, reached at all: Push 1." in alt_text(chart)


def test_channels_without_id_and_of_one_name_are_told_apart() -> None:
    says = oa.Catalogue(channels={1: "Mail", 2: "Mail"})
    chart = charts.overlap(oa.overlap(frame(*reached("A", 1, 2, None)), catalogue=says))
    assert {name for name, _ in totals(chart)} == {"Mail (id 1)", "Mail (id 2)", "channel (no id)"}


def test_an_empty_table_says_no_messages_and_another_is_refused() -> None:
    assert "no messages" in alt_text(charts.overlap(OVERLAP.empty()))
    with pytest.raises(SchemaError, match=r"overlap\(interactions"):
        charts.overlap(TRANSITIONS.empty())
    many = frame(*[row for n in range(41) for row in reached("A", n)])
    with pytest.raises(InputError, match="41 channels are too many"):
        charts.overlap(oa.overlap(many))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    chart = charts.overlap(oa.overlap(audience()))
    content = charts.save(chart, tmp_path / f"overlap.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
