"""Tables to read: the same cells in a terminal and in a notebook."""

from __future__ import annotations

import polars as pl
from charts.tables import audience_funnel, audience_mix

from optimove_analysis import charts
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
