"""What every summary keeps to, whichever result it tells of."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest
from charts.tables import (
    audience_funnel,
    audience_mix,
    funnel_rows,
    funnel_table,
    mix_rows,
    mix_table,
)
from charts.time_tables import (
    contrast_table,
    day_rows,
    day_table,
    step_rows,
    step_table,
)
from report.sentences import EMPTY, one_hand_off, said

from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.report.summary import summary
from optimove_analysis.schema import (
    ANOMALIES,
    AUDIT,
    CHANNEL_MIX,
    COMPARISON,
    EXPLAIN_CHANGE,
    FREQUENCY_CONTRAST,
    FUNNEL,
    HAND_OFF,
    JOURNEY,
    ORDERED_FUNNEL_COUNTS,
    OVERLAP,
    PREFERRED_CHANNEL,
    RATES,
    RECENCY,
    TIERS,
    TIME_TO_ENGAGE,
    Table,
)


class _Items(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_the_same_sentences_as_the_terminal() -> None:
    shown = summary(audience_funnel(), audience_mix())
    items = _Items()
    items.feed(shown.html)
    assert shown.html.startswith('<ul class="summary"><li>')
    assert items.tags == ["ul", *["li"] * len(shown.text.split("\n"))]
    assert [f"- {text}".replace("\xa0", " ") for text in items.texts] == shown.text.split("\n")


def test_names_are_neither_markup_nor_lines_and_leave_room() -> None:
    name = '<script>alert(1)</script> & "Q"\n- Rate 99 %\u2028\x1b[2J' + "x" * 5_000
    rows = mix_rows([(1, name, 90, 9), (2, "SMS", 90, 5)]) + mix_rows(
        [(1, name, 40, 2)], segment=name
    )
    del rows[0], rows[0]
    tables = [
        funnel_table(funnel_rows((40, 38, 9, 3), channel=name, customers=9, segment=name)),
        mix_table(mix_rows([(1, name, 90, 9), (2, "SMS", 90, 5)])),
        mix_table(rows),
        day_table(day_rows([(50, 20)], odd={0: 0.9}, channel=name)),
        step_table(step_rows({name: 9}, entered=40)),
        contrast_table([{"channel": name, "slope": None, "n": 0, "channels": []}]),
        one_hand_off(to=name),
    ]
    for table in tables:
        shown = summary(table)
        items = _Items()
        items.feed(shown.html)
        assert set(items.tags) == {"ul", "li"}
        assert all(line.startswith("- ") for line in shown.text.split("\n"))
        assert len(shown.text.split("\n")) == items.tags.count("li")
        assert not any(char in shown.text for char in "\x1b\u2028")
        assert max(map(len, shown.text.split("\n"))) < 700


def test_customers_as_groups_are_not_named() -> None:
    rows = [
        row
        for who in ("Anna", "Berta")
        for row in funnel_rows((40, 38, 9, 4), channel=None, customers=1, customer_id=who)
    ]
    assert said(funnel_table(rows)) == ["The table tells of 2 customers one by one."]
    alone = said(funnel_table(rows[:4]))
    assert alone == ["10.0 % clicked (95 % interval 4.0 to 23.1 %) of 40 messages sent."]


def test_groups_by_the_users_own_column_are_named_and_the_largest_told() -> None:
    rows = [
        row
        for n in range(40, 60)
        for row in funnel_rows((n, n, 9, 4), channel=None, customers=9, my_segment=f"s{n}")
    ]
    told = said(funnel_table(rows))
    assert [line.split(":")[0] for line in told[:-1]] == [f"My segment s{n}" for n in range(48, 60)]
    assert told[-1] == "The table tells of 8 more groups, none larger than these."


@pytest.mark.parametrize(
    "table",
    [
        *(ANOMALIES, CHANNEL_MIX, COMPARISON, EXPLAIN_CHANGE, FREQUENCY_CONTRAST, FUNNEL),
        *(HAND_OFF, ORDERED_FUNNEL_COUNTS, OVERLAP, PREFERRED_CHANNEL, RATES, RECENCY, TIERS),
        TIME_TO_ENGAGE,
    ],
    ids=lambda table: table.name,
)
def test_an_empty_result_says_so(table: Table) -> None:
    assert said(table.empty()) == [EMPTY]


def test_what_two_results_have_in_common_is_said_once() -> None:
    assert said(FUNNEL.empty(), RATES.empty(), TIERS.empty()) == [EMPTY]
    assert said(AUDIT.empty()) == ["There were no rows to check."]


@pytest.mark.parametrize(
    ("results", "match"),
    [
        ((), "no result. It tells of what these return: anomalies, audit"),
        ((pl.DataFrame({"a": [1]}),), "the columns 'a' is no result"),
        ((JOURNEY.empty(),), "no sentences on journey yet. It tells of what these return: anom"),
        ((FUNNEL.empty().lazy(),), "LazyFrame; collect"),
        (("funnel",), "this is a str"),
    ],
)
def test_what_has_no_sentences_is_refused_with_what_has(
    results: tuple[Any, ...], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        summary(*results)


def test_a_hole_in_a_table_is_refused_and_named() -> None:
    table = audience_funnel()
    with pytest.raises(SchemaError, match="sent is null"):
        summary(table.with_columns(sent=pl.lit(None, pl.Int64)))
    with pytest.raises(SchemaError, match="overall_lo is no finite number"):
        summary(table.with_columns(overall_lo=pl.lit(float("nan"))))
    with pytest.raises(SchemaError, match="n_late"):
        summary(table.drop("n_late"))
