"""What the notebook on the channel mix says in words is true of its sample data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from optimove_analysis import (
    anomalies,
    channel_mix,
    diversity,
    drift,
    explain_change,
    frequency,
    frequency_contrast,
    hand_off,
    preferred_channel,
    tiers,
    time_to_engage,
    transitions,
)

SAMPLE = Path(__file__).parents[2] / "data" / "interactions.parquet"


@pytest.fixture(scope="module")
def interactions() -> pl.DataFrame:
    return pl.read_parquet(SAMPLE)


def verdicts(mix: pl.DataFrame) -> dict[str, str]:
    """Return, of each channel with an index, whether its interval is above, below or at par."""
    par = (
        pl.when(pl.col("index_lo") > 1)
        .then(pl.lit("above"))
        .when(pl.col("index_hi") < 1)
        .then(pl.lit("below"))
        .otherwise(pl.lit("par"))
    )
    return dict(mix.drop_nulls("index").select("channel", par).iter_rows())


def test_the_index_turns_over_without_opens(interactions: pl.DataFrame) -> None:
    mix = channel_mix(interactions)
    e_mail = mix.filter(channel="E-mail").row(0, named=True)
    assert e_mail["share_of_sends"] > 0.5
    assert e_mail["share_of_engagements"] > 0.85
    others = dict.fromkeys(["SMS", "Push", "Web push", "In-app"], "below")
    assert verdicts(mix) == {"E-mail": "above", **others}
    assert mix.filter(channel="Call centre")["index"].to_list() == [None]

    assert verdicts(channel_mix(interactions, opens="ignore")) == {
        "In-app": "above",
        "SMS": "above",
        "E-mail": "par",
        "Push": "par",
        "Web push": "below",
    }


def test_hardly_an_sms_was_sent_in_january_and_june(interactions: pl.DataFrame) -> None:
    by_month = channel_mix(interactions, every="1mo", opens="ignore")
    sms = by_month.filter(channel="SMS")
    none_clicked = sms.filter(engagements=0)
    assert none_clicked["period"].dt.month().to_list() == [1, 6]
    assert none_clicked["sends"].to_list() == [1, 2]
    assert sms.filter(pl.col("engagements") > 0).bottom_k(1, by="sends")["sends"].item() == 87

    a_month = by_month.group_by("period").agg(pl.col("engagements").sum())["engagements"].mean()
    assert a_month == pytest.approx(80, abs=0.5)


def test_sends_are_spread_over_four_channels_and_engagement_over_fewer(
    interactions: pl.DataFrame,
) -> None:
    effective = dict(diversity(interactions).select("share", "effective_channels").iter_rows())
    assert round(effective["sends"]) == 4
    assert effective["engagements"] == pytest.approx(1.5, abs=0.1)


def test_sends_drift_and_clicks_may_not(interactions: pl.DataFrame) -> None:
    halves: dict[str, Any] = {
        "before": (dt.date(2025, 1, 1), dt.date(2025, 6, 30)),
        "after": (dt.date(2025, 7, 1), dt.date(2025, 12, 31)),
    }
    found = drift(interactions, **halves, opens="ignore")
    sends, clicks = (found.filter(share=of).row(0, named=True) for of in ("sends", "engagements"))
    assert sends["divergence"] > 10 * sends["by_chance_95"]
    assert 0.5 * sends["divergence"] < clicks["divergence"] < clicks["by_chance_95"]

    months = drift(interactions, every="1mo", opens="ignore").drop_nulls("divergence")
    by_chance = pl.col("divergence") < pl.col("by_chance_95")
    assert months.filter(by_chance, share="sends").is_empty()
    noise = months.filter(by_chance, share="engagements")["after_from"].dt.month()
    assert noise.to_list() == [5, 9, 10, 11, 12]
    assert months.filter(share="engagements").height == 11


def test_the_rate_rose_most_for_e_mail_being_opened_more(interactions: pl.DataFrame) -> None:
    found = explain_change(
        interactions,
        before=(dt.date(2025, 7, 1), dt.date(2025, 9, 30)),
        after=(dt.date(2025, 10, 1), dt.date(2025, 12, 31)),
    )
    *channels, whole = found.iter_rows(named=True)
    e_mail = next(row for row in channels if row["channel"] == "E-mail")
    assert whole["change_lo"] > 0
    assert 0 < whole["mix_effect"] < 0.5 * whole["rate_effect"]
    assert e_mail["share_after"] > e_mail["share_before"]
    assert e_mail["rate_effect"] > 0.5 * whole["change"]
    assert "In-app" not in {row["channel"] for row in channels}


def test_most_customers_preferences_are_undecided(interactions: pl.DataFrame) -> None:
    trusted, ignored = (
        preferred_channel(interactions, opens=opens).filter(pl.col("status") != "insufficient")
        for opens in ("trust", "ignore")
    )
    customers = trusted["customer_id"].n_unique()
    preferred = trusted.filter(status="preferred", rank=1)
    assert set(preferred["channel"]) == {"E-mail"}
    assert preferred.height < 0.5 * customers
    assert 2 * (customers - preferred.height) > 200  # undecided: most of all

    decided = ignored.filter(status="preferred", rank=1)
    assert decided["customer_id"].to_list() == ["001246"]


def test_clicks_come_by_e_mail_or_in_the_app_whatever_came_before(
    interactions: pl.DataFrame,
) -> None:
    found = hand_off(interactions, within=28, opens="ignore")
    none = found.filter(next="none")
    assert none.select(pl.col("share").is_between(0.6, 0.75).all()).item()  # "some two in three"
    share = pl.col("share")
    first_two = found.group_by("from_channel").agg(
        of=share.filter(pl.col("to_channel").is_in(["E-mail", "In-app"])).sum(),
        any=share.filter(pl.col("next") != "none").sum(),
    )
    assert first_two.filter(pl.col("of") <= 0.6 * pl.col("any")).is_empty()
    to_web_push = found.filter(to_channel="Web push")
    assert to_web_push.top_k(1, by="share")["from_channel"].item() == "Web push"


def test_the_next_message_is_an_e_mail(interactions: pl.DataFrame) -> None:
    moves = transitions(interactions)
    first = moves.sort("share", descending=True).group_by("from_channel").first()
    assert first.height == 6
    assert set(first["to_channel"]) == {"E-mail"}
    after_push = moves.filter(pl.col("to_channel") != "E-mail", from_channel="Push")
    assert after_push.top_k(1, by="share")["to_channel"].item() == "In-app"


def test_pressure_is_mostly_who_gets_many_messages(interactions: pl.DataFrame) -> None:
    levels = frequency(interactions).filter(channel="E-mail")
    assert levels["level"].to_list() == ["0", "1", "2", "3", "4"]
    four, fewer = levels.filter(level="4"), levels.filter(pl.col("level") != "4")
    assert fewer.equals(fewer.sort("value", descending=True))
    inside = pl.col("value").is_between(four["lo"].item(), four["hi"].item())
    assert levels.select(inside.all()).item()  # too few messages on level 4 to say

    contrast = frequency_contrast(interactions).filter(channel="E-mail").row(0, named=True)
    assert contrast["slope_across"] < 2 * contrast["slope"] < 0
    assert contrast["lo"] < 0 < contrast["hi"]


def test_by_clicks_more_than_twice_as_many_seem_lost(interactions: pl.DataFrame) -> None:
    trusted, ignored = (
        tiers(interactions, opens=opens)
        .filter(pl.col("tier").is_in(["dormant", "never engaged"]))
        .height
        for opens in ("trust", "ignore")
    )
    assert ignored > 2 * trusted


def test_most_clicks_come_soon_and_those_on_e_mail_later(interactions: pl.DataFrame) -> None:
    found = time_to_engage(interactions, opens="ignore").filter(pl.col("n") > 0)

    def by(day: int) -> dict[str, float]:
        so_far = found.filter(pl.col("day") <= day).group_by("channel")
        return dict(so_far.agg(pl.col("engaged").max()).iter_rows())

    ever = by(1000)
    assert set(ever) == {"E-mail", "SMS", "Push", "Web push"}
    next_day, third, week = (
        {channel: share / ever[channel] for channel, share in by(day).items()} for day in (1, 3, 7)
    )
    e_mail = next_day.pop("E-mail"), third.pop("E-mail")
    assert min(next_day.values()) > 0.85 > e_mail[0]
    assert min(third.values()) > 0.92 > e_mail[1]
    assert min(week.values()) > 0.93


def test_one_day_of_web_push_stands_out(interactions: pl.DataFrame) -> None:
    days = anomalies(interactions)
    found = days.filter(status="anomaly")
    assert found.select("channel", "send_date").rows() == [("Web push", dt.date(2025, 9, 10))]
    assert found["rate"].item() < 0.15
    with_messages = days.filter(pl.col("n") > 0)
    assert with_messages.filter(status="small").height > 0.5 * with_messages.height
