"""Tables to read: the same cells in a terminal and in a notebook."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from charts.rate_tables import messages
from charts.tables import audience_funnel, audience_mix

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.main_columns import recognised
from optimove_analysis.charts.tables import main_columns, text_table


def test_a_funnel_reads_with_its_counts_rates_and_intervals() -> None:
    lines = str(charts.table(audience_funnel())).splitlines()
    assert lines[0].split("  ")[0] == "Channel"
    for word in ("Messages", "Observed", "Implied", "Late", "Of sent", "95 % interval"):
        assert word in lines[0]
    assert len(lines) == audience_funnel().height + 1
    assert "notes" not in lines[0].lower()


def test_sent_of_sent_has_no_interval_since_nothing_is_estimated() -> None:
    sent = text_table(main_columns(audience_funnel()).filter(pl.col("stage") == "sent"))
    assert all("100.0 %" in line and "to" not in line for line in sent.splitlines()[1:])


def test_columns_of_text_stand_left_and_numbers_right() -> None:
    text = text_table(pl.DataFrame({"channel": ["SMS", "E-mail"], "sends": [5, 12345]}))
    assert text.splitlines() == ["Channel    Sent", "SMS           5", "E-mail   12,345"]


def test_a_users_own_columns_come_first() -> None:
    mine = audience_mix().with_columns(segment=pl.lit("new"))
    assert main_columns(mine).columns[0] == "segment"


def test_a_notebook_shows_the_same_cells_and_nothing_that_can_run() -> None:
    named = audience_mix().with_columns(channel=pl.lit("<script>alert(1)</script>"))
    shown = charts.table(named)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "Share of sends" in shown


def test_any_other_frame_is_shown_whole() -> None:
    assert str(charts.table(pl.DataFrame({"a": [1]}))).split() == ["A", "1"]


def lines_of(table: pl.DataFrame) -> list[str]:
    return str(charts.table(table)).splitlines()


def test_rates_are_percentages_with_their_interval_in_one_column() -> None:
    table = oa.rates(messages(200, 10))
    head, *lines = lines_of(table)
    assert head.split("  ")[0] == "Channel"
    assert "notes" not in head.lower()
    (click,) = [line for line in lines if "click rate" in line]
    assert "5.0 %" in click
    assert " to " in click
    assert head.count("95 % interval") == 1


def test_a_mean_is_no_percentage_in_the_table() -> None:
    opened = messages(40, 0).with_columns(event_id=pl.col("event_id").replace({2: 3}))
    (line,) = [line for line in lines_of(oa.rates(opened)) if "total opens" in line]
    assert "1.00" in line
    assert "%" not in line


def test_a_channel_that_lacks_a_rate_is_n_a_and_nothing_to_divide_by_a_dash() -> None:
    sms = oa.rates(messages(40, 0, channel=505))
    (opens,) = [line for line in lines_of(sms) if "  open rate" in line]
    assert opens.split("open rate")[1].split() == ["n/a", "n/a", "n/a", "n/a", "0"]
    bounced = messages(40, 0).with_columns(event_id=pl.col("event_id").replace({2: 6}))
    (click,) = [line for line in lines_of(oa.rates(bounced)) if "  click rate" in line]
    assert "n/a" not in click
    assert "\N{EN DASH}" in click


def test_a_comparison_is_in_points_and_lifts() -> None:
    frame = pl.concat([messages(80, 48), messages(70, 56, template=7)])
    table = oa.compare(frame, between="template_id", rate="click rate")
    _, line = lines_of(table)
    # 56/70 - 48/80 and Newcombe's interval; the lift is a third.
    assert "+20.0 points  +5.1 to +33.5" in line
    assert "+33.3 %  +7.5 to +65.4 %" in line


def test_a_change_explained_ends_with_all_channels() -> None:
    frame = pl.concat([messages(100, 10), messages(100, 20, day=date(2025, 4, 3), campaign=9)])
    table = oa.explain_change(
        frame,
        before=(date(2025, 3, 1), date(2025, 3, 31)),
        after=(date(2025, 4, 1), date(2025, 4, 30)),
        rate="click rate",
    )
    assert "All channels" in lines_of(table)[-1]
    assert "+10.0 points" in lines_of(table)[-1]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("shrink", ["Raw", "Shrunk", "95 % interval", "Pooled"]),
        ("preferred_channel", ["Status", "Engagement rate", "95 % interval"]),
        ("tiers", ["Tier", "Click rate, shrunk"]),
        ("recency", ["Last engaged"]),
        ("frequency", ["Level", "95 % interval"]),
        ("transitions", ["From", "Share", "95 % interval"]),
        ("hand_off", ["Next", "Share", "95 % interval"]),
        ("anomalies", ["Status", "Rate", "95 % interval"]),
        ("time_to_engage", ["At risk", "Engaged by then", "95 % interval"]),
        ("audit", ["Check", "Severity", "What to do"]),
        ("rates", ["Value", "95 % interval"]),
    ],
)
def test_each_result_reads_with_its_own_columns(name: str, columns: list[str]) -> None:
    frame = pl.concat(
        [
            messages(60, 6, customers=["A", "B"]),
            messages(60, 6, customers=["A", "C"], channel=505, day=date(2025, 3, 20)),
        ]
    )
    result = getattr(oa, name)(frame)
    main = recognised(result)
    assert main is not None
    assert main.table.name == name
    assert recognised(main_columns(result)) is not None
    head = lines_of(result)[0]
    for column in columns:
        assert column in head
    assert "Notes" not in head
    assert "Low" not in head
    assert len(lines_of(result)) == result.height + 1


def test_a_users_own_group_is_not_taken_for_another_result() -> None:
    frame = messages(60, 6).with_columns(tier=pl.lit("gold"), level=pl.lit("x"), step=pl.lit("y"))
    main = recognised(oa.rates(frame, by=["tier", "level", "step"]))
    assert main is not None
    assert main.table.name == "rates"


def test_a_users_own_frame_with_a_value_is_shown_as_it_is() -> None:
    assert "12.50" in str(charts.table(pl.DataFrame({"value": [12.5], "lo": [1.0]})))


def test_the_sentences_of_an_audit_may_break_into_lines() -> None:
    assert '<td class="long">' in charts.table(oa.audit(messages(3, 1)))._repr_html_()
