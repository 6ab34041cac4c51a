"""What the gallery says in words of the charts that it shows is true of its sample data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from optimove_analysis import (
    anomalies,
    channel_mix,
    compare,
    diversity,
    drift,
    explain_change,
    frequency_contrast,
    hand_off,
    journey,
    ordered_funnel_counts,
    overlap,
    preferred_channel,
    rates,
    shrink,
    tiers,
    time_to_engage,
    transitions,
)

SAMPLE = Path(__file__).parents[2] / "data" / "interactions.parquet"


@pytest.fixture(scope="module")
def interactions() -> pl.DataFrame:
    return pl.read_parquet(SAMPLE)


def test_sms_is_highest_in_clicks_and_e_mail_in_engagement(interactions: pl.DataFrame) -> None:
    of = {
        (row["rate"], row["channel"]): row
        for row in rates(interactions).drop_nulls("value").iter_rows(named=True)
    }
    clicks = {channel: row for (rate, channel), row in of.items() if rate == "click rate"}
    assert max(clicks, key=lambda channel: clicks[channel]["value"]) == "SMS"
    assert clicks["SMS"]["lo"] > max(clicks["E-mail"]["hi"], clicks["Web push"]["hi"])
    engaged = {channel: row["value"] for (rate, channel), row in of.items() if "engag" in rate}
    assert max(engaged, key=lambda channel: engaged[channel]) == "E-mail"


def test_sms_against_e_mail_flips_without_opens(interactions: pl.DataFrame) -> None:
    found = compare(interactions, between="channel_id", baseline=504, against=505)
    clicks, engaged = (
        found.filter(rate=rate).row(0, named=True) for rate in ("click rate", "engagement rate")
    )
    assert clicks["difference"] == pytest.approx(0.03, abs=0.005)  # "some 3 points"
    assert clicks["difference_lo"] > 0
    assert engaged["difference"] < -0.3  # "far below"
    assert engaged["flips"]
    either = interactions.filter(pl.col("channel_id").is_in([504, 505]))["customer_id"].n_unique()
    assert 0.45 < clicks["customers_in_both"] / either < 0.55  # "half of the customers"


def test_e_mail_has_nearly_all_engagement_and_in_app_the_index(interactions: pl.DataFrame) -> None:
    mix = channel_mix(interactions).filter(channel="E-mail")
    assert mix["share_of_engagements"].item() > 0.85
    clicks = channel_mix(interactions, opens="ignore").drop_nulls("index")
    above = clicks.filter(pl.col("index_lo") > 1)["channel"]
    below = clicks.filter(pl.col("index_hi") < 1)["channel"]
    assert (set(above), set(below)) == ({"In-app", "SMS"}, {"Web push"})
    months = channel_mix(interactions, every="1mo", opens="ignore")
    a_month = months.group_by("period").agg(pl.col("engagements").sum())["engagements"].mean()
    assert a_month == pytest.approx(80, abs=2)


def test_most_of_the_rise_is_the_rate_of_e_mail(interactions: pl.DataFrame) -> None:
    found = explain_change(
        interactions,
        before=(dt.date(2025, 7, 1), dt.date(2025, 9, 30)),
        after=(dt.date(2025, 10, 1), dt.date(2025, 12, 31)),
    )
    whole = found.filter(pl.col("channel").is_null())["change"].item()
    assert found.filter(channel="E-mail")["rate_effect"].item() > 0.5 * whole > 0


def test_sends_drift_every_month_and_clicks_not_in_the_last_four(
    interactions: pl.DataFrame,
) -> None:
    months = drift(interactions, every="1mo", opens="ignore").drop_nulls("divergence")
    by_chance = pl.col("divergence") < pl.col("by_chance_95")
    assert months.filter(by_chance, share="sends").is_empty()
    clicks = months.filter(by_chance, share="engagements")["after_from"].dt.month().to_list()
    assert clicks[-4:] == [9, 10, 11, 12]


def test_sends_are_spread_over_three_to_five_channels(interactions: pl.DataFrame) -> None:
    months = diversity(interactions, every="1mo")
    sends = months.filter(share="sends")["effective_channels"]
    assert sends.is_between(2.5, 5).all()
    engaged = months.filter(share="engagements")["effective_channels"]
    clicked = diversity(interactions, every="1mo", opens="ignore").filter(share="engagements")
    assert engaged.is_between(1, 2).all()
    assert (clicked["effective_channels"] > engaged).all()


def test_most_customers_are_engaged_by_e_mail_alone(interactions: pl.DataFrame) -> None:
    sets = overlap(interactions, of="engaged").sort("customers", descending=True)
    assert sets["channels"].to_list()[0] == ["E-mail"]
    assert [] in sets["channels"].to_list()[:20]  # as many as are drawn


def test_an_e_mail_is_next_in_half_of_the_cases_or_more(interactions: pl.DataFrame) -> None:
    moves = transitions(interactions)
    assert (moves.filter(to_channel="E-mail")["share"] > 0.48).all()
    assert moves["tied_share"][0] == pytest.approx(0.2, abs=0.01)
    none = hand_off(interactions, within=28, opens="ignore").filter(next="none")["share"]
    assert none.is_between(0.6, 0.75).all()  # "some two in three"


def test_one_of_three_customers_has_a_preference_by_clicks(interactions: pl.DataFrame) -> None:
    status = preferred_channel(interactions).unique("customer_id")["status"]
    assert (status == "undecided").sum() > 0.5 * status.len()
    asked = preferred_channel(interactions, opens="ignore").filter(
        pl.col("customer_id").is_in(["000133", "001246", "001801"]), rank=1
    )
    assert asked["status"].to_list() == ["undecided", "preferred", "undecided"]


def test_no_change_within_customers_is_told_from_0(interactions: pl.DataFrame) -> None:
    found = frequency_contrast(interactions).drop_nulls("slope")
    assert found.height == 4
    assert found.select(pl.lit(0).is_between("lo", "hi").all()).item()


def test_most_clicks_come_by_the_day_after_the_send(interactions: pl.DataFrame) -> None:
    days = time_to_engage(interactions, opens="ignore").filter(pl.col("n") > 0)
    reached = pl.col("engaged")
    soon = days.group_by("channel").agg(
        soon=reached.filter(pl.col("day") <= 1).max() / reached.max()
    )
    assert (soon["soon"] > 0.7).all()


def test_nearly_all_web_pushes_of_one_day_were_lost(interactions: pl.DataFrame) -> None:
    found = anomalies(interactions).filter(status="anomaly")
    assert found.select("channel", "send_date").rows() == [("Web push", dt.date(2025, 9, 10))]
    assert found["rate"].item() < 0.15


def test_by_clicks_many_times_more_are_dormant(interactions: pl.DataFrame) -> None:
    trusted, ignored = (
        tiers(interactions, opens=opens).filter(tier="dormant").height
        for opens in ("trust", "ignore")
    )
    assert ignored > 5 * trusted > 0


def test_the_first_two_by_clicks_change_places(interactions: pl.DataFrame) -> None:
    push = shrink(interactions, "click rate").filter(channel="Push")
    assert push.top_k(1, by="value").select("k", "n").row(0) == (4, 13)
    assert push.top_k(1, by="shrunk").select("k", "n").row(0) == (5, 20)


def test_the_customer_gets_messages_on_tuesdays_and_wednesdays(interactions: pl.DataFrame) -> None:
    days = journey(interactions.filter(customer_id="000133"))["send_date"].to_list()
    on_these = [day for day in days if f"{day:%A}" in {"Tuesday", "Wednesday"}]
    assert len(on_these) > 0.6 * len(days)


def test_one_in_four_who_open_an_e_mail_click_an_sms(interactions: pl.DataFrame) -> None:
    steps: dict[str, Any] = {
        "e-mail opened": {"channel": "E-mail", "event": "opened"},
        "SMS clicked": {"channel": "SMS", "event": "clicked"},
    }
    entered, clicked = ordered_funnel_counts(interactions, steps, within=14)["customers"]
    assert clicked / entered == pytest.approx(0.25, abs=0.03)
