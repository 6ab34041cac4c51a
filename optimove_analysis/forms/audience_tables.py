"""An audience's numbers as tables to read."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.forms.audience_view import AudienceView
from optimove_analysis.forms.comparison import Comparison
from optimove_analysis.forms.parts import cells_html, folded_html, said_html
from optimove_analysis.schema import MEAN_OPENS

__all__ = ["change_html", "comparison_html", "overview_html"]

_BESIDE: Final = {
    "delivery rate": "Delivered",
    "open rate": "Opened",
    "click rate": "Clicked",
    "click-to-open rate": "Clicked / opened",
    "engagement rate": "Engaged",
    "unsubscribe rate": "Unsubscribed",
}
"""The rates that fit beside each other; all of them stand below."""
_ALL: Final = "All channels"
_NAMELESS: Final = "Channel without a name"
_FOOT: Final = (
    f"Delivered is of the sent; the others are of the delivered. {words.NO_STAGE}: the channel has "
    "no such stage. A total is over the channels that have both stages of its rate."
)


def overview_html(view: AudienceView) -> str:
    """Return how many there are, the rates of each channel, and all rates with intervals."""
    active = view.interactions["customer_id"].n_unique()
    messages = int(view.mix["sends"].sum())
    who = view.so_far or words.plural(len(view.customer_ids), "customer")
    lead = (
        f"{who}, {active:,} of them with interactions; {words.plural(messages, 'message')} that "
        f"count, {words.plural(view.interactions.height, 'interaction')}."
    )
    return "".join(
        [
            said_html(lead),
            _by_channel(view, messages, active),
            said_html(_FOOT),
            folded_html(f"All rates, with 95{words.NBSP}% intervals", _all_rates(view)),
        ]
    )


def _by_channel(view: AudienceView, messages: int, active: int) -> str:
    """Return a row a channel, most messages first, then all of them."""
    found: dict[tuple[int | None, str], str] = {}
    for row in view.rates.rows(named=True):
        found[row["channel_id"], row["rate"]] = _rate(row["value"], row["n"])
    shown = [name for name in _BESIDE if name in set(view.rates["rate"].cast(pl.String))]
    rows = [
        [
            row["channel"] or _NAMELESS,
            words.count(row["sends"]),
            words.count(row["customers"]),
            *(found.get((row["channel_id"], name), words.NO_STAGE) for name in shown),
        ]
        for row in view.mix.sort("sends", descending=True).rows(named=True)
    ]
    total = {row["rate"]: _rate(row["value"], row["n"]) for row in view.totals.rows(named=True)}
    last = (total.get(name, words.NO_STAGE) for name in shown)
    rows.append([_ALL, f"{messages:,}", f"{active:,}", *last])
    heads = ["Channel", "Messages", "Customers", *(_BESIDE[name] for name in shown)]
    return cells_html("Rates by channel", heads, rows)


def _rate(value: float | None, n: int | None) -> str:
    return words.NO_STAGE if n is None else words.percent(value)


def _all_rates(view: AudienceView) -> str:
    both = pl.concat([view.rates.drop("channel_id"), view.totals]).filter(pl.col("n").is_not_null())
    rows = [
        [
            f"{row['channel'] or _ALL}: {row['label']}",
            *_value(row["rate"], row["value"], row["lo"], row["hi"]),
            *(words.count(row[name]) for name in ("k", "n", "n_implied", "n_late")),
        ]
        for row in both.rows(named=True)
    ]
    heads = ["Rate", "Value", f"95{words.NBSP}% interval", "k", "n", "Implied", "Late"]
    return cells_html("All rates", heads, rows)


def _value(name: str, value: float | None, low: float | None, high: float | None) -> list[str]:
    if name == MEAN_OPENS:  # no percentage
        return [words.ratio(value), words.ratio_interval(low, high)]
    return [words.percent(value), words.interval(low, high)]


def comparison_html(found: Comparison) -> str:
    """Return of whom the comparison is, and its numbers, over channels and by channel."""
    return "".join(
        [
            said_html(found.told),
            folded_html("The numbers", _compared(found, found.rates, "Over all channels")),
            folded_html("The numbers by channel", _compared(found, found.by_channel, "By channel")),
        ]
    )


def change_html(found: Comparison) -> str:
    """Return why the rate of a period is another than before; "" of two audiences."""
    parts = []
    if found.explained is not None:
        parts.append(folded_html("The change in numbers", _explained(found.explained)))
    if found.drift is not None:
        parts.append(said_html(_drifted(found.drift)))
    return "".join(parts)


def _compared(found: Comparison, table: pl.DataFrame, caption: str) -> str:
    by_channel = "channel_id" in table.columns
    rows = []
    for row in table.rows(named=True):
        if row["n"] is None and row["n0"] is None:
            continue
        channel = f"{row['channel'] or _NAMELESS}: " if by_channel else ""
        lift = [f"({row['reason']})", ""] if row["lift"] is None else []
        rows.append(
            [
                f"{channel}{row['label']}",
                *_of(row["value0"], row["k0"], row["n0"]),
                *_of(row["value"], row["k"], row["n"]),
                points(row["difference"]),
                points_between(row["difference_lo"], row["difference_hi"]),
                *(lift or [_signed(row["lift"]), _between(row["lift_lo"], row["lift_hi"])]),
            ]
        )
    interval = f"95{words.NBSP}% interval"
    heads = ["Rate", found.baseline, "k / n", found.against, "k / n"]
    heads += ["Difference, points", interval, "Relative lift", interval]
    return cells_html(caption, heads, rows)


def _of(value: float | None, k: int | None, n: int | None) -> list[str]:
    return [_rate(value, n), words.NO_STAGE if n is None or k is None else f"{k:,} / {n:,}"]


def _explained(table: pl.DataFrame) -> str:
    rows = [
        [
            row["channel"] or _ALL,
            *(
                words.percent(row[name])
                for name in ("share_before", "share_after", "rate_before", "rate_after")
            ),
            *(points(row[name]) for name in ("change", "mix_effect", "rate_effect")),
        ]
        for row in table.rows(named=True)
    ]
    heads = ["Channel", "Share before", "Share after", "Rate before", "Rate after"]
    heads += ["Change, points", "By the mix", "By the rates"]
    return cells_html("The change of the engagement rate, in percentage points", heads, rows)


def _drifted(table: pl.DataFrame) -> str:
    told = [
        f"of {share}: {value:.4f}" + ("" if chance is None else f" (by chance {chance:.4f})")
        for share, value, chance in table.select("share", "divergence", "by_chance").rows()
        if value is not None
    ]
    what = "Drift of the channel mix (Jensen-Shannon divergence, 0 to 1)"
    return f"{what}, {'; '.join(told)}." if told else ""


def points(difference: float | None) -> str:
    """Write a difference of rates in percentage points, with its sign.

    >>> points(0.0123), points(-0.00004)
    ('+1.23', '0.00')
    """
    if difference is None:
        return words.NO_ANSWER
    text = f"{difference * 100:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def points_between(low: float | None, high: float | None) -> str:
    """Write the interval of a difference."""
    return words.NO_ANSWER if low is None or high is None else f"{points(low)} to {points(high)}"


def _signed(lift: float | None) -> str:
    if lift is None:
        return words.NO_ANSWER
    return f"{lift * 100:+.1f}{words.NBSP}%".replace("-", "\N{MINUS SIGN}")


def _between(low: float | None, high: float | None) -> str:
    return words.NO_ANSWER if low is None or high is None else f"{_signed(low)} to {_signed(high)}"
