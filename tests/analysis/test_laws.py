"""What holds of every frame, whatever is in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from analysis import worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, channel_mix, funnel, journey, messages
from optimove_analysis.schema import (
    CHANNEL_MIX,
    FUNNEL,
    JOURNEY,
    KIND_STAGES,
    MESSAGES,
    TEST_ENVIRONMENT_CHANNELS,
)

LAW = settings(max_examples=19, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG_LAW = settings(LAW, max_examples=10)  # those that count many times over
WORLD = worlds.interactions()
SAYS = Catalogue(reports_sent=True)
SINGLE = [
    channel
    for channel, (_, kind) in TEST_ENVIRONMENT_CHANNELS.items()
    if len(KIND_STAGES[kind]) == 1
]
ODDITIES = ["rows", "n_collapsed", "n_orphans", "n_unknown", "n_undated"]


@LONG_LAW
@given(frame=WORLD, by=worlds.BY, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    frame: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    shuffled = frame[chance.sample(range(frame.height), frame.height)]
    assert_frame_equal(messages(shuffled), messages(frame))
    assert_frame_equal(funnel(shuffled, by=by, **rules), funnel(frame, by=by, **rules))
    assert_frame_equal(channel_mix(shuffled, **rules), channel_mix(frame, **rules))


@LONG_LAW
@given(frame=WORLD, by=worlds.BY, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_repeating_rows_changes_nothing_but_the_notes(
    frame: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    again = frame[chance.choices(range(frame.height), k=frame.height)] if frame.height else frame
    repeated = pl.concat([frame, again])
    assert_frame_equal(messages(repeated).drop(ODDITIES), messages(frame).drop(ODDITIES))
    ours, theirs = funnel(repeated, by=by, **rules), funnel(frame, by=by, **rules)
    assert_frame_equal(ours.drop("notes"), theirs.drop("notes"))
    mine, yours = channel_mix(repeated, **rules), channel_mix(frame, **rules)
    assert_frame_equal(mine.drop("notes"), yours.drop("notes"))


@LAW
@given(frame=WORLD)
def test_no_row_is_lost(frame: pl.DataFrame) -> None:
    found = messages(frame)
    assert found["rows"].sum() == frame.height
    assert found["n_undated"].sum() == frame["date"].null_count()
    sent = frame.filter(pl.col("event_id") == 1, pl.col("date").is_not_null()).height
    assert found.select(pl.col("send_observed").sum() + pl.col("n_collapsed").sum()).item() == sent
    assert journey(frame)["rows"].sum() == frame.height


@LAW
@given(frame=WORLD, rules=worlds.RULES)
def test_channels_add_up_to_the_total_in_the_stages_that_it_has(
    frame: pl.DataFrame, rules: dict[str, Any]
) -> None:
    total = funnel(frame, by=(), **rules)
    # Those that a total leaves out are the ones with a single stage.
    channels = funnel(frame, **rules).filter(~pl.col("channel_id").is_in(SINGLE).fill_null(False))
    counts = ["messages", "n_observed", "n_implied", "n_late"]
    for row in total.iter_rows(named=True):
        stage = channels.filter(stage=row["stage"])
        counted = stage.filter(pl.col("sent") > 0)
        assert row["sent"] == stage["sent"].sum()
        assert row["n_immature"] == stage["n_immature"].sum()
        assert row["n_unobserved"] == stage["n_unobserved"].sum()
        if row["messages"] is None:
            assert counted["messages"].has_nulls()
        else:
            assert not counted["messages"].has_nulls()
            assert [row[name] for name in counts] == [counted[name].sum() for name in counts]


@LAW
@given(frame=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_no_stage_outgrows_the_one_before_and_the_numbers_of_a_row_agree(
    frame: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    found = funnel(frame, by=by, **rules | {"implied": "lower"})
    held = {
        "never more than before": pl.col("messages") <= pl.col("previous"),
        "never more than sent": pl.col("messages") <= pl.col("sent"),
        "observed + implied": pl.col("n_observed") + pl.col("n_implied") == pl.col("messages"),
        "nothing below 0": pl.min_horizontal("n_observed", "n_implied", "n_late") >= 0,
        "in the window or late": pl.col("n_observed") + pl.col("n_late") <= pl.col("sent"),
        "customers": pl.col("customers").is_between(pl.col("sent") > 0, pl.col("sent")),
    }
    for rate, n in (("overall", "sent"), ("step", "previous")):
        mid, lo, hi = (pl.col(f"{rate}_{end}") for end in ("rate", "lo", "hi"))
        held[f"{rate} lies in its interval"] = mid.is_between(lo - 1e-12, hi + 1e-12)
        held[f"{rate} lies in 0..1"] = pl.min_horizontal(lo, 1 - hi) >= 0
        held[f"{rate} is what it says"] = (mid - pl.col("messages") / pl.col(n)).abs() < 1e-12
    for law, condition in held.items():
        assert found.select(condition.all()).item(), law


@LONG_LAW
@given(frame=worlds.interactions(complete=True), by=worlds.BY, rules=worlds.RULES)
def test_a_wider_window_never_lowers_a_count(
    frame: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"as_of": None}
    before: pl.DataFrame | None = None
    mixed: pl.DataFrame | None = None
    for window in (0, 2, 7, None):
        found = funnel(frame, by=by, **rules | {"window": window})
        mix = channel_mix(frame, **rules | {"window": window})
        if before is not None and mixed is not None:
            for name in ("messages", "n_observed"):
                assert (found[name] >= before[name]).all()
            assert (found["n_late"] <= before["n_late"]).all()
            assert found["sent"].equals(before["sent"])
            assert (mix["engagements"] >= mixed["engagements"]).all()
        before, mixed = found, mix


@LONG_LAW
@given(frame=WORLD, more=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_immature_messages_change_no_rate(
    frame: pl.DataFrame, more: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"window": 7, "as_of": None, "catalogue": SAYS}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    both = pl.concat([frame, immature])
    beside = ["n_immature", "n_unobserved", "notes"]
    alone, beyond = funnel(frame, by=by, **rules), funnel(both, by=by, **rules)
    assert beyond["sent"].sum() == alone["sent"].sum()
    keys = [*by, "stage"]
    old = beyond.join(alone.select(keys), on=keys, how="semi", nulls_equal=True)
    assert_frame_equal(old.drop(beside), alone.drop(beside))
    mixed, mix = channel_mix(frame, **rules), channel_mix(both, **rules)
    old = mix.join(mixed.select("channel_id"), on="channel_id", how="semi", nulls_equal=True)
    assert_frame_equal(old.drop(beside), mixed.drop(beside))


@LONG_LAW
@given(frame=WORLD, rules=worlds.RULES)
def test_other_channel_ids_permute_the_result(frame: pl.DataFrame, rules: dict[str, Any]) -> None:
    other = {504: 511, 511: 505, 505: 502, 502: 504, 506: 506, 510: 510}
    back = {new: old for old, new in other.items()}
    names = Catalogue().channels
    renamed = frame.with_columns(pl.col("channel_id").replace(other))
    there = Catalogue(channels={other[channel]: name for channel, name in names.items()})
    for count in (funnel, channel_mix):
        found = count(renamed, catalogue=there, **rules)
        order = ["channel_id", *(["stage"] if "stage" in found.columns else [])]
        restored = found.with_columns(pl.col("channel_id").replace(back)).sort(order)
        assert_frame_equal(restored, count(frame, **rules))
    assert_frame_equal(
        funnel(renamed, by=(), catalogue=there, **rules), funnel(frame, by=(), **rules)
    )


@LONG_LAW
@given(frame=WORLD, rules=worlds.RULES, every=st.sampled_from([None, "1w"]))
def test_one_customer_alone_gets_the_same_rows_as_among_all(
    frame: pl.DataFrame, rules: dict[str, Any], every: str | None
) -> None:
    rules |= {"catalogue": SAYS}
    for customer in frame["customer_id"].unique():
        alone = frame.filter(customer_id=customer)
        for by in (["customer_id"], ["customer_id", "channel_id"]):
            among = funnel(frame, by=by, **rules).filter(customer_id=customer)
            assert_frame_equal(funnel(alone, by=by, **rules), among)
        mixed = channel_mix(frame, by="customer_id", every=every, **rules)
        one = channel_mix(alone, by="customer_id", every=every, **rules)
        assert_frame_equal(one, mixed.filter(customer_id=customer))
        assert_frame_equal(journey(alone), journey(frame).filter(customer_id=customer))
        assert_frame_equal(messages(alone), messages(frame).filter(customer_id=customer))
        break  # any one; the seed draws who


@LAW
@given(frame=WORLD, rules=worlds.RULES, every=st.sampled_from([None, "1w", "1mo"]))
def test_shares_sum_to_1_and_the_index_to_par(
    frame: pl.DataFrame, rules: dict[str, Any], every: str | None
) -> None:
    found = channel_mix(frame, by="customer_id", every=every, **rules)
    sums = found.group_by("customer_id", "period").agg(
        pl.col("share_of_sends", "share_of_engagements").sum(),
        pl.col("sends", "engagements").sum().name.prefix("all_"),
        par=(pl.col("share_of_sends") * pl.col("index")).sum(),
    )
    for row in sums.iter_rows(named=True):
        assert abs(row["share_of_sends"] - (row["all_sends"] > 0)) < 1e-12
        assert abs(row["share_of_engagements"] - (row["all_engagements"] > 0)) < 1e-12
        assert abs(row["par"] - (row["all_engagements"] > 0)) < 1e-12
    inside = found.drop_nulls(["index_lo", "index_hi"])
    assert (inside["index_lo"] <= inside["index"] + 1e-12).all()
    assert (inside["index"] <= inside["index_hi"] + 1e-12).all()


@LAW
@given(frame=WORLD, rules=worlds.RULES)
def test_the_mix_and_the_funnel_count_alike(frame: pl.DataFrame, rules: dict[str, Any]) -> None:
    mixed = channel_mix(frame, of="clicked", **rules)
    clicked = funnel(frame, **rules).filter(stage="clicked")
    assert mixed["channel_id"].equals(clicked["channel_id"])
    assert mixed["sends"].equals(clicked["sent"])
    assert mixed["engagements"].equals(clicked["messages"])
    assert mixed["customers"].equals(clicked["customers"])
    assert mixed["n_immature"].equals(clicked["n_immature"])
    assert mixed["as_of"].equals(clicked["as_of"])


@LONG_LAW
@given(frame=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_lazy_gives_what_eager_gives_and_both_are_the_documented_tables(
    frame: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    group = {name: frame.schema[name] for name in by}
    found = funnel(frame.lazy(), by=by, **rules).collect()
    assert_frame_equal(found, funnel(frame, by=by, **rules))
    assert list(found.schema.items()) == [*group.items(), *FUNNEL.schema.items()]
    mixed = channel_mix(frame.lazy(), by="customer_id", **rules).collect()
    assert list(mixed.schema.items())[1:] == [*CHANNEL_MIX.schema.items()]
    assert journey(frame).schema == JOURNEY.schema
    assert messages(frame).schema == MESSAGES.schema
    for table, result in ((FUNNEL, found), (CHANNEL_MIX, mixed), (MESSAGES, messages(frame))):
        never = [column.name for column in table.columns if not column.nulls]
        assert result.select(never).null_count().sum_horizontal().to_list() == [0]
