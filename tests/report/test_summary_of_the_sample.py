"""Each result of the sample data: the numbers in its sentences are reckoned again from its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from report.sentences import MINUS, said

import optimove_analysis as oa

SAMPLE = Path(__file__).parents[2] / "data/interactions.parquet"
HALVES: Final[Mapping[str, Any]] = {
    "before": (dt.date(2025, 1, 1), dt.date(2025, 6, 30)),
    "after": (dt.date(2025, 7, 1), dt.date(2025, 12, 31)),
}
STEPS: Final[Mapping[str, Any]] = {
    "mail opened": {"channel": "E-mail", "event": "opened"},
    "push clicked": {"channel": "Push", "event": "clicked"},
}
MAKE: Final[Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "anomalies": oa.anomalies,
    "audit": oa.audit,
    "change": lambda rows: oa.explain_change(rows, **HALVES),
    "comparison": lambda rows: oa.compare(
        rows, between="channel_id", baseline=504, against=505, rate="click rate"
    ),
    "contrast": oa.frequency_contrast,
    "funnel": oa.funnel,
    "hand-off": lambda rows: oa.hand_off(rows, within=14),
    "mix": oa.channel_mix,
    "overlap": oa.overlap,
    "preferred": oa.preferred_channel,
    "rates": lambda rows: oa.rates(rows).filter(rate="click rate"),
    "recency": lambda rows: oa.recency(rows, by="channel_id"),
    "steps": lambda rows: oa.ordered_funnel_counts(rows, STEPS, within=14),
    "tiers": oa.tiers,
    "times": oa.time_to_engage,
}


@pytest.fixture(scope="module")
def results() -> dict[str, pl.DataFrame]:
    rows = pl.read_parquet(SAMPLE)
    return {name: make(rows) for name, make in MAKE.items()}


def number(share: float) -> str:
    return f"{100 * share:.2f}" if 0 < share < 0.00995 else f"{100 * share:.1f}"


def rate(value: float, lo: float, hi: float) -> str:
    return f"{number(value)} % ({number(lo)} to {number(hi)} %)"


def points(value: float, lo: float, hi: float) -> str:
    texts = [f"{'+' if one > 0 else MINUS}{number(abs(one))}" for one in (value, lo, hi)]
    return f"{texts[0]} points ({texts[1]} to {texts[2]})"


def lift(value: float, lo: float, hi: float) -> str:
    return points(value, lo, hi).replace(" points", " %").replace(")", " %)")


def of_anomalies(table: pl.DataFrame) -> list[str]:
    odd = table.filter(status="anomaly")
    tested = table.filter(pl.col("status").is_in(["ok", "anomaly"])).height
    rest = table.height - tested
    return [f"{odd.height} of {tested} tested days", f"{rest:,} days could not be tested"] + [
        f"{row['channel']}: on {row['send_date']}, {rate(row['rate'], row['lo'], row['hi'])} of "
        f"{row['n']} messages sent were delivered, against {number(row['expected'])} %"
        for row in odd.iter_rows(named=True)
    ]


def of_change(table: pl.DataFrame) -> list[str]:
    *channels, whole = table.rows(named=True)
    largest = max(channels, key=lambda row: abs(row["change"]))
    return [
        f"{number(whole['k_before'] / whole['n_before'])} % of {whole['n_before']:,} messages",
        f"{number(whole['k_after'] / whole['n_after'])} % of {whole['n_after']:,} (2025-07-01",
        *(
            points(whole[name], whole[f"{name}_lo"], whole[f"{name}_hi"])
            for name in ("change", "mix_effect", "rate_effect")
        ),
        f"is that of {largest['channel']}: "
        + points(largest["change"], largest["change_lo"], largest["change_hi"]),
    ]


def of_comparison(table: pl.DataFrame) -> list[str]:
    (row,) = table.rows(named=True)
    return [
        f"{number(row['k'] / row['n'])} % of {row['n']:,} messages delivered (SMS)",
        f"{number(row['k0'] / row['n0'])} % of {row['n0']:,} (E-mail)",
        points(row["difference"], row["difference_lo"], row["difference_hi"]),
        lift(row["lift"], row["lift_lo"], row["lift_hi"]),
        f"{row['customers_in_both']} customers are on both sides",
    ]


def of_contrast(table: pl.DataFrame) -> list[str]:
    return [
        f"{row['channel']}: engagement rate {points(row['slope'], row['lo'], row['hi'])}"
        + (", not to be told from none," if row["lo"] < 0 < row["hi"] else "")
        + f" of {row['n']:,} messages to {row['customers']} customers."
        for row in table.drop_nulls("slope").iter_rows(named=True)
    ]


def of_funnel(table: pl.DataFrame) -> list[str]:
    return [
        f"{row['channel']}: {number(row['messages'] / row['sent'])} % clicked "
        f"({number(row['overall_lo'])} to {number(row['overall_hi'])} %) of {row['sent']:,} "
        f"messages sent to {row['customers']} customers."
        for row in table.filter(stage="clicked").drop_nulls("messages").iter_rows(named=True)
    ]


def of_hand_off(table: pl.DataFrame) -> list[str]:
    texts = []
    for rows in table.partition_by("from_channel_id", maintain_order=True):
        best = max(rows.filter(next="engaged").rows(named=True), key=lambda row: row["n"])
        (none,) = rows.filter(next="none").rows(named=True)
        share, lo, hi = best["n"] / rows["n"].sum(), best["lo"], best["hi"]
        texts.append(
            f"After {rows['n'].sum():,} unanswered messages on {best['from_channel']}, the next "
            f"engagement came most often on {best['to_channel']}: in {rate(share, lo, hi)}, after "
            f"a median of {best['median_days']:g} days; in "
            f"{rate(none['share'], none['lo'], none['hi'])} none came within 14 days."
        )
    return texts


def of_mix(table: pl.DataFrame) -> list[str]:
    sends, engagements = table["sends"].sum(), table["engagements"].sum()
    return [
        f"{row['channel']} makes up {number(row['sends'] / sends)} % of messages sent and "
        f"{number(row['engagements'] / engagements)} % of engagements: "
        f"{'more' if row['index_lo'] > 1 else 'less'} than its share, index {row['index']:.2f} "
        f"({row['index_lo']:.2f} to {row['index_hi']:.2f})."
        for row in table.drop_nulls("engagements").filter(channel_id=505).iter_rows(named=True)
    ]


def of_overlap(table: pl.DataFrame) -> list[str]:
    rows = sorted(table.rows(named=True), key=lambda row: -row["customers"])[:4]
    shares = [rate(row["customers"] / 200, row["lo"], row["hi"]) for row in rows]
    return [f"on which {table['customers'].sum()} customers", *shares, f"{table.height - 4} more"]


def of_preferred(table: pl.DataFrame) -> list[str]:
    n = {
        status: table.filter(status=status)["customer_id"].n_unique() for status in table["status"]
    }
    best = table.filter(status="preferred", rank=1).group_by("channel").len().rows()
    return [
        f"{n['preferred']} of 200 customers have a preferred channel in the 180 days",
        f"{n['undecided']} customers' two best",
        f"{n['insufficient']} customers had too few",
        *(f"{channel} for {count}" for channel, count in best),
    ]


def of_rates(table: pl.DataFrame) -> list[str]:
    return [
        f"{row['channel']}: click rate {rate(row['k'] / row['n'], row['lo'], row['hi'])} of "
        f"{row['n']:,} messages delivered to {row['customers']} customers."
        for row in table.drop_nulls("k").iter_rows(named=True)
    ]


def of_recency(table: pl.DataFrame) -> list[str]:
    texts = []
    for rows in table.filter(channel="SMS").partition_by("channel_id"):
        last = [row["days_since_engaged"] for row in rows.iter_rows(named=True)]
        shares = [
            f"{n} ({number(n / len(last))} %)"
            for n in (
                sum(days is not None and days <= 30 for days in last),
                sum(days is not None and days <= 90 for days in last),
                last.count(None),
            )
        ]
        texts += [f"SMS: of {len(last)} customers, {shares[0]} engaged in the 30 days", *shares[1:]]
    return texts


def of_steps(table: pl.DataFrame) -> list[str]:
    row = table.row(-1, named=True)
    share = row["customers"] / row["entered"]
    return [
        (
            f"Of {row['entered']} customers who began the steps, "
            f'{rate(share, row["overall_lo"], row["overall_hi"])} came to "push clicked" within 14 '
            f"days, after a median of {row['median_days']:g} days."
        )
    ]


def of_tiers(table: pl.DataFrame) -> list[str]:
    counts = table.group_by("tier").len().rows()
    return [f"{tier} {n} ({number(n / table.height)} %)" for tier, n in counts]


def of_times(table: pl.DataFrame) -> list[str]:
    texts = []
    for rows in table.drop_nulls("n").partition_by("channel_id", maintain_order=True):
        of_day = {row["day"]: row for row in rows.iter_rows(named=True)}
        first, week = of_day[1], max((d for d in of_day if d <= 7), default=0)
        texts.append(
            f"{first['channel']}: of {first['n']:,} messages delivered to {first['customers']} "
            f"customers, {rate(first['engaged'], first['lo'], first['hi'])} were engaged with "
            f"within a day and "
            + rate(*(of_day[week][name] for name in ("engaged", "lo", "hi")))
            + " within 7 days."
        )
    return texts


AGAIN: Final[Mapping[str, Callable[[pl.DataFrame], list[str]]]] = {
    "anomalies": of_anomalies,
    "audit": lambda table: table.filter(severity="warning")["what"].to_list(),
    "change": of_change,
    "comparison": of_comparison,
    "contrast": of_contrast,
    "funnel": of_funnel,
    "hand-off": of_hand_off,
    "mix": of_mix,
    "overlap": of_overlap,
    "preferred": of_preferred,
    "rates": of_rates,
    "recency": of_recency,
    "steps": of_steps,
    "tiers": of_tiers,
    "times": of_times,
}


@pytest.mark.parametrize("name", MAKE)
def test_the_sentences_numbers_are_the_tables(name: str, results: dict[str, pl.DataFrame]) -> None:
    text = "\n".join(said(results[name])).replace("95 % interval ", "")
    expected = AGAIN[name](results[name])
    assert expected
    for part in expected:
        assert part in text


@pytest.mark.parametrize("name", MAKE)
def test_no_customer_is_named_and_no_result_is_told_at_length(
    name: str, results: dict[str, pl.DataFrame]
) -> None:
    sentences = said(results[name])
    customers = set(results["tiers"]["customer_id"])
    assert not customers & set(" ".join(sentences).replace(".", " ").split())
    assert len(sentences) <= 15
    assert all(text[-1] in ".:" and text[:1] == text[:1].upper() for text in sentences)


def test_a_warning_stands_before_a_note(results: dict[str, pl.DataFrame]) -> None:
    table = results["audit"]
    rank = {row["what"]: row["severity"] for row in table.iter_rows(named=True)}
    told = [rank[text] for text in said(table)]
    assert told == sorted(told, key=["error", "warning", "note"].index)
    assert set(told) == {"warning", "note"}


def test_an_audit_by_action_tells_of_control_members_too() -> None:
    table = oa.audit(pl.read_parquet(SAMPLE), by="action_id")
    assert any(text.startswith("Action 1: ") for text in said(table.filter(action_id=1)))
    assert said(table)[-1].startswith("The table tells of ")
