"""The heat maps of transitions and hand-offs: the tables' numbers, legible, none left out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from analysis.events import CALLS, EMAIL, PUSH, SMS, UNKNOWN, frame, on
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.theme import INKS
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import HAND_OFF, TRANSITIONS


def sent(*channels: int | None, customer: str = "A", **ids: Any) -> list[dict[str, Any]]:
    """One message a day, each of a campaign of its own."""
    return [
        on(day, "sent", channel_id=channel, campaign_id=day, customer_id=customer, **ids)
        for day, channel in enumerate(channels, start=1)
    ]


def audience() -> pl.DataFrame:
    rows = [
        row
        for number in range(20)
        for row in sent(EMAIL, EMAIL, SMS, EMAIL, EMAIL, PUSH, customer=f"c{number}")
    ]
    rows += [*sent(PUSH, SMS), on(40, "sent"), on(40, "sent", channel_id=SMS)]
    return frame(*rows)


def cells(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "from" in record]


def one(chart: alt.TopLevelMixin, start: str, end: str) -> dict[str, Any]:
    (found,) = [cell for cell in cells(chart) if (cell["from"], cell["to"]) == (start, end)]
    return found


def test_the_picture_holds_the_tables_own_numbers_and_0_for_what_never_came() -> None:
    table = oa.transitions(audience())
    drawn = cells(charts.transitions(table))
    seen = {(c["from"], c["to"]): (c["n"], c["share"], c["n_from"]) for c in drawn}
    rows = table.select("from_channel", "to_channel", "n", "share", "n_from").iter_rows()
    own = {(start, end): tuple(numbers) for start, end, *numbers in rows}
    assert {key: numbers for key, numbers in seen.items() if numbers[0]} == own
    assert len(seen) == 3 * 3
    assert seen["Push", "E-mail"] == (0, 0.0, 1)


def test_rows_and_columns_are_in_one_order_most_sent_first() -> None:
    chart = charts.transitions(oa.transitions(audience()))
    encoding = chart.to_dict()["concat"][0]["layer"][1]["encoding"]
    assert encoding["x"]["sort"] == encoding["y"]["sort"] == ["E-mail", "SMS", "Push"]


def test_a_cell_tells_its_share_and_its_tooltip_k_n_and_the_interval() -> None:
    cell = one(charts.transitions(oa.transitions(audience())), "E-mail", "SMS")
    # Of each customer's four pairs from e-mail one led to SMS: 20 of 80.
    assert cell["text"] == "25.0"
    assert cell["n_from_text"] == "80"
    assert plain(cell["k_of_n"]).startswith("20 / 80 = 25.0 % (")


def test_rows_of_few_are_grey_and_ties_are_told() -> None:
    chart = charts.transitions(oa.transitions(audience()))
    assert {c["from"] for c in cells(chart) if c["tone"] == "few"} == {"SMS", "Push"}
    assert "Grey: fewer than 30 transitions." in told(chart)
    # One within a day of two channels, one that leads to it; of 103 pairs.
    assert "Left out: 2 ties, 1.9 % of all pairs of messages" in told(chart)
    assert "101 transitions" in told(chart)


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(text: str) -> tuple[float, ...]:
    return tuple(int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_numbers_stand_out_on_every_cell(mode: Any) -> None:
    """By the formula of WCAG 2: 4.5:1, on the colour that a cell makes of the paper."""
    table = oa.hand_off(pl.read_parquet(Path(__file__).parents[2] / "data/interactions.parquet"))
    few = table.with_columns(small=True)
    chart = charts.hand_off(table)
    scale = chart.to_dict()["concat"][0]["layer"][1]["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    paper, ink = _rgb(INKS[mode]["paper"]), _luminance(_rgb(INKS[mode]["ink"]))
    ground = tuple(
        0.35 * a + 0.65 * b for a, b in zip(_rgb(INKS[mode]["line"]), paper, strict=True)
    )
    every = [*cells(chart), *cells(charts.hand_off(few))]
    assert {cell["tone"] for cell in every} == {"share", "rest", "few"}
    # As strong as it may get: the channel of the largest share.
    assert max(cell["strength"] for cell in every) == 0.85
    for cell in every:
        a = cell["strength"]
        mixed = tuple(
            a * x + (1 - a) * y for x, y in zip(_rgb(colours[cell["tone"]]), ground, strict=True)
        )
        bright, dark = sorted((ink, _luminance(mixed)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_groups_are_panels_in_the_same_colours_and_columns() -> None:
    rows = frame(*sent(EMAIL, SMS, EMAIL, template_id=1), *sent(EMAIL, PUSH, template_id=2))
    spec = charts.transitions(oa.transitions(rows, by="template_id")).to_dict()
    panels = spec["concat"]
    assert [panel["title"]["text"] for panel in panels] == ["Template 1", "Template 2"]
    assert plain(panels[0]["title"]["subtitle"]) == "2 transitions; 0.0 % of all pairs are ties"
    orders = [panel["layer"][1]["encoding"]["x"]["sort"] for panel in panels]
    assert orders == [["E-mail", "SMS", "Push"]] * 2


def test_a_group_of_ties_only_says_so_beside_the_others() -> None:
    rows = sent(EMAIL, SMS, EMAIL, template_id=1)
    rows += [on(9, "sent", template_id=2), on(9, "sent", template_id=2, channel_id=SMS)]
    chart = charts.transitions(oa.transitions(frame(*rows), by="template_id"))
    last = chart.to_dict()["concat"][-1]
    assert plain(last["title"]["subtitle"]) == "0 transitions; 100.0 % of all pairs are ties"
    assert "Template 2: Left out: 1 tie, 100.0 % of all pairs" in alt_text(chart)


def test_ties_only_and_nothing_at_all_are_said_in_words() -> None:
    ties = charts.transitions(oa.transitions(frame(on(3, "sent"), on(3, "sent", channel_id=SMS))))
    assert "1 pair of messages: all are ties" in told(ties)
    assert "no transitions" in alt_text(charts.transitions(TRANSITIONS.empty()))
    assert "no unanswered messages" in alt_text(charts.hand_off(HAND_OFF.empty()))


def test_channels_without_id_without_name_and_of_one_name_are_drawn_apart() -> None:
    says = oa.Catalogue(channels={1: "Mail", 2: "Mail"})
    rows = frame(*sent(1, 2, None, UNKNOWN, 1, CALLS, 1))
    drawn = cells(charts.transitions(oa.transitions(rows, catalogue=says)))
    assert {cell["from"] for cell in drawn} == {
        "Mail (id 1)",
        "Mail (id 2)",
        "channel (no id)",
        "channel 7 (unnamed)",
        "channel 502 (unnamed)",
    }


def test_the_alt_text_reads_as_sentences_and_ends() -> None:
    text = alt_text(charts.transitions(oa.transitions(audience())))
    assert "After 80 messages on E-mail came E-mail in 50.0 % (" in text
    many = frame(*[row for n in range(30) for row in sent(n, n + 1, customer=f"c{n}")])
    text = alt_text(charts.transitions(oa.transitions(many)))
    assert text.endswith("And 19 further sentences as these.")  # of 30 channels and the ties
    assert len(text) < 3000


def test_more_channels_than_can_be_read_are_refused_and_many_are_given_room() -> None:
    many = [row for n in range(41) for row in sent(n, n + 1, customer=f"c{n}")]
    with pytest.raises(InputError, match="42 channels are too many"):
        charts.transitions(oa.transitions(frame(*many)))
    some = [row for n in range(19) for row in sent(n, n + 1, customer=f"c{n}")]
    panel = charts.transitions(oa.transitions(frame(*some))).to_dict()["concat"][0]
    assert panel["width"] == 36 * 20


def test_a_hand_off_holds_the_tables_own_numbers_and_its_days() -> None:
    rows = [
        on(3, "sent"),
        on(3, "delivered"),
        on(1, "sent", channel_id=SMS),
        on(8, "clicked", channel_id=SMS),
        on(20, "sent", channel_id=PUSH),
        on(20, "delivered", channel_id=PUSH),
    ]
    table = oa.hand_off(frame(*rows))
    chart = charts.hand_off(table)
    sms = one(chart, "E-mail", "SMS")
    assert (sms["n"], sms["n_from"], sms["share"], sms["median_days"]) == (1, 1, 1.0, 5.0)
    assert plain(sms["more"]) == "5 d"
    assert plain(sms["days"]) == "5 days"
    none = one(chart, "Push", "none")
    assert (none["text"], none["more"], none["is_rest"]) == ("100.0", "", True)
    assert one(chart, "E-mail", "none")["n"] == 0
    assert '"none": no engagement as yet.' in told(chart)
    assert "After 1 unanswered message on Push: no engagement in 100.0 %" in alt_text(chart)
    assert '"none": no engagement within 14 days.' in told(
        charts.hand_off(oa.hand_off(frame(*rows), within=14))
    )


def test_all_of_a_hand_offs_rows_are_drawn() -> None:
    table = oa.hand_off(pl.read_parquet(Path(__file__).parents[2] / "data/interactions.parquet"))
    drawn = [cell for cell in cells(charts.hand_off(table)) if cell["n"]]
    keys = ("n", "share", "n_from", "customers")
    assert sorted(tuple(cell[key] for key in keys) for cell in drawn) == sorted(
        table.select(keys).rows()
    )
    by_row: dict[str, float] = {}
    for cell in drawn:
        by_row[cell["from"]] = by_row.get(cell["from"], 0) + cell["share"]
    assert list(by_row.values()) == pytest.approx([1.0] * 6)


def test_a_channel_may_be_called_none() -> None:
    says = oa.Catalogue(channels={EMAIL: "none"})
    rows = frame(on(1, "sent"), on(1, "delivered"))
    chart = charts.hand_off(oa.hand_off(rows, catalogue=says))
    assert [(c["from"], c["to"], c["n"]) for c in cells(chart)] == [("none (id 504)", "none", 1)]


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"transitions\(interactions"):
        charts.transitions(HAND_OFF.empty())
    with pytest.raises(SchemaError, match=r"hand_off\(interactions"):
        charts.hand_off(TRANSITIONS.empty())


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_they_render(kind: str, tmp_path: Path) -> None:
    for name in ("transitions", "hand_off"):
        table = getattr(oa, name)(audience())
        chart = getattr(charts, name)(table)
        content = charts.save(chart, tmp_path / f"{name}.{kind}").read_bytes()
        assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])


def test_neighbours_in_the_reading_order_are_the_tables() -> None:
    drawn = [c["n_from"] for c in cells(charts.transitions(oa.transitions(audience())))]
    assert all(a >= b for a, b in pairwise(drawn))
