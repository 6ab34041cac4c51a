"""What the notebook on the funnel says in words is true of its sample data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binomtest

from optimove_analysis import (
    audit,
    compare,
    funnel,
    messages,
    ordered_funnel_counts,
    rates,
    shrink,
)

SAMPLE = Path(__file__).parents[2] / "data" / "interactions.parquet"


@pytest.fixture(scope="module")
def interactions() -> pl.DataFrame:
    return pl.read_parquet(SAMPLE)


@pytest.fixture(scope="module")
def reached(interactions: pl.DataFrame) -> pl.DataFrame:
    return funnel(interactions)


def share(table: pl.DataFrame, channel: str, stage: str) -> float:
    rate: float = table.filter(channel=channel, stage=stage)["overall_rate"].item()
    return rate


def test_the_unknown_event_is_the_one_that_the_audit_shows(interactions: pl.DataFrame) -> None:
    found = audit(interactions).filter(check="unknown_event")
    assert found["examples"].to_list() == [["event 17 (unknown)"]]


def test_the_open_and_the_click_go_to_the_second_of_two_sends(interactions: pl.DataFrame) -> None:
    first, second = messages(interactions.filter(customer_id="000133", campaign_id=7137)).iter_rows(
        named=True
    )
    assert first["opened_on"] is first["clicked_on"] is None
    assert None not in (second["opened_on"], second["clicked_on"])
    assert (second["clicked_on"] - second["send_date"]).days == 10  # late


def test_the_orphan_is_a_click_on_the_day_before_its_send(interactions: pl.DataFrame) -> None:
    rows = interactions.filter(customer_id="000168", campaign_id=9937)
    message = messages(rows).row(0, named=True)
    assert message["n_orphans"] == 1
    assert message["clicked_on"] is None
    click = rows.filter(event_id=4)["date"].item()
    assert (message["send_date"] - click).days == 1


def test_the_funnels_are_as_the_words_below_them(reached: pl.DataFrame) -> None:
    assert share(reached, "E-mail", "clicked") < 0.2 * share(reached, "E-mail", "opened")
    sent = reached.filter(stage="sent")
    assert sent.filter(pl.col("messages") > 0.5 * pl.col("messages").sum())["channel"].item() == (
        "E-mail"
    )

    clicked = reached.filter(pl.col("stage") == "clicked").drop_nulls("overall_rate")
    assert clicked.top_k(1, by="overall_rate")["channel"].item() == "In-app"

    delivered = reached.filter(pl.col("stage") == "delivered").drop_nulls("overall_rate")
    assert delivered.bottom_k(1, by="overall_rate")["channel"].item() == "Web push"
    assert round(1 / (1 - share(reached, "Web push", "delivered"))) == 7


def test_only_e_mail_has_opens_and_in_app_no_deliveries(reached: pl.DataFrame) -> None:
    there = reached.drop_nulls("messages")
    assert there.filter(stage="opened")["channel"].to_list() == ["E-mail"]
    assert "In-app" not in there.filter(stage="delivered")["channel"].to_list()
    assert there.filter(channel="Call centre")["stage"].to_list() == ["sent"]


def test_a_wider_window_gains_less_and_leaves_out_more(interactions: pl.DataFrame) -> None:
    day, week, month, ever = (
        funnel(interactions, window=days)
        .filter(channel="E-mail", stage="opened")
        .row(0, named=True)
        for days in (1, 7, 30, None)
    )
    rate = [of["overall_rate"] for of in (day, week, month, ever)]
    assert rate == sorted(rate)
    assert rate[2] - rate[1] < 0.2 * (rate[1] - rate[0])
    assert day["n_immature"] < week["n_immature"] < month["n_immature"]
    assert ever["n_immature"] == 0


def test_messages_taken_as_independent_give_a_third_of_the_interval(reached: pl.DataFrame) -> None:
    of = reached.filter(channel="E-mail", stage="opened").row(0, named=True)
    naive = binomtest(of["messages"], of["sent"]).proportion_ci(method="wilson")
    assert 3 * (naive.high - naive.low) < of["overall_hi"] - of["overall_lo"]
    assert of["customers"] == 191


def test_the_customer_of_whom_little_is_known_is_drawn_in_grey(interactions: pl.DataFrame) -> None:
    of_one = funnel(interactions.filter(customer_id="000444"))
    assert of_one["small"].all()
    assert set(of_one["method"]) == {"wilson"}


def test_rates_divide_by_what_the_notebook_says(
    interactions: pl.DataFrame, reached: pl.DataFrame
) -> None:
    n = dict(rates(interactions).filter(channel="E-mail").select("rate", "n").iter_rows())
    stage = dict(reached.filter(channel="E-mail").select("stage", "messages").iter_rows())
    assert n["delivery rate"] == n["bounce rate"] == stage["sent"]
    assert n["open rate"] == n["click rate"] == n["unsubscribe rate"] == stage["delivered"]
    assert n["click-to-open rate"] == stage["opened"]


def test_the_first_two_change_places_when_shrunk(interactions: pl.DataFrame) -> None:
    push = shrink(interactions, "click rate").filter(channel="Push")
    assert push.top_k(2, by="value").select("k", "n").row(0) == (4, 13)
    assert push.top_k(2, by="shrunk").select("k", "n").rows() == [(5, 20), (4, 13)]
    assert push["n"].median() == 12
    assert push.filter(k=0).select((pl.col("shrunk") > 0).all()).item()


def test_e_mail_against_sms_turns_over_without_opens(interactions: pl.DataFrame) -> None:
    trusted, ignored = (
        compare(
            interactions,
            between="channel_id",
            baseline=504,
            against=505,
            rate="engagement rate",
            opens=opens,
        ).row(0, named=True)
        for opens in ("trust", "ignore")
    )
    assert trusted["flips"]
    assert any("flips" in note for note in trusted["notes"])
    assert trusted["difference_hi"] < 0 < ignored["difference_lo"]


def test_customers_do_not_add_up_over_months(interactions: pl.DataFrame) -> None:
    month = pl.col("send_date").dt.truncate("1mo").alias("month")
    clicked = {"channel": "E-mail", "stage": "clicked"}
    of_month = funnel(interactions, by=["channel_id", month], unit="customer").filter(**clicked)
    of_year = funnel(interactions, unit="customer").filter(**clicked)
    assert of_month["messages"].sum() > 3 * of_year["messages"].item()
    assert share(of_year, "E-mail", "clicked") > 0.5  # "over a year most do"


def test_some_who_opened_an_e_mail_click_an_sms(interactions: pl.DataFrame) -> None:
    steps = {
        "e-mail opened": {"channel": "E-mail", "event": "opened"},
        "SMS clicked": {"channel": "SMS", "event": "clicked"},
    }
    opened, clicked = ordered_funnel_counts(interactions, steps, within=14)["customers"]
    assert 30 <= clicked < opened
