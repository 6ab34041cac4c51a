"""An ordered funnel as bars: how many customers got to each of the user's own steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.bars import Bars
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, finished
from optimove_analysis.schema import ORDERED_FUNNEL_COUNTS, SMALL_N

__all__ = ["ordered_funnel"]

_EVERYONE: Final = "All customers"
_ENOUGH: Final = "enough"
_FEW: Final = f"fewer than {SMALL_N} entered"
_NAMES: Final = 80  # pixels of the steps' names at least
_MODES: Final[Mapping[str, str]] = {
    "loose": "other events may lie between steps",
    "strict": "no other step between two steps",
    "any": "steps in any order",
}


def ordered_funnel(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 190,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.FacetChart | alt.Chart:
    """Draw an ordered funnel's counts: a panel a group, a bar a step.

    Beside each bar stand the customers, their share of those who entered and of the step before,
    and the median days from the chain's first event. The thin line is the 95 % interval of the
    share of entered. A rate over nobody is a dash. Groups that fewer than 30 customers entered are
    grey.

    Args:
        table: what ``ordered_funnel_counts(interactions, ...)`` returns; all numbers are read from
            it.
        title: in place of the title that says what is drawn.
        width: pixels of the longest bar of a panel.
        columns: panels side by side.
        colours: a group's name as it stands over its panel to its colour; all are alike else.

    Raises:
        SchemaError: the table is not an ordered funnel's counts.
        InputError: it has more groups or steps than a picture can show.

    >>> import datetime as dt
    >>> from optimove_analysis.analysis.ordered_funnel import ordered_funnel_counts
    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "channel_id": 504,
    ...       "event_id": event} for who, day, event in [("A", 3, 3), ("A", 9, 4), ("B", 3, 3)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> steps = {"opened": {"event": "opened"}, "clicked": {"event": "clicked"}}
    >>> counts = ordered_funnel_counts(frame, steps, within=14)
    >>> ordered_funnel(counts).to_dict()["title"]["text"]
    'From opened to clicked'
    """
    table = checked(table, ORDERED_FUNNEL_COUNTS, "ordered_funnel_counts")
    steps = table.unique("step", keep="first", maintain_order=True).sort("position")
    title = title or _title(steps)
    drawn = groups(table, ORDERED_FUNNEL_COUNTS, ["step"], split=False)
    drawn = [Group(group.label or _EVERYONE, group.rows.sort("position")) for group in drawn]
    if table.is_empty() or not table["entered"].sum():
        return nothing(title, "No customers", _why(drawn))
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    refuse_too_many(table.height, MAX_ROWS, "rows")
    records = [_record(group, row) for group in drawn for row in group.rows.iter_rows(named=True)]
    own = dict(colours or {})
    palette = {_ENOUGH: TOTAL_COLOUR, _FEW: SMALL_COLOUR, **own}
    for record in records:
        if record["colour"] == _ENOUGH and record["group"] in own:
            record["colour"] = record["group"]
    bars = Bars(
        row="name",
        order=[_name(row) for row in steps.iter_rows(named=True)],
        solid="customers",
        end="customers",
        texts=[
            ("count_text", 66, "customers"),
            ("overall_text", 130, "of entered"),
            ("step_text", 216, "of step before"),
            ("days_text", 290, "median days"),
        ],
        tooltip=_tooltip(),
        width=width,
    )
    return finished(
        bars.panels(records, drawn, palette, columns),
        title=title,
        told=_told(table, drawn, records),
        width=min(columns, len(drawn)) * bars.wide + _NAMES,
        description=_description(title, drawn),
    )


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['step']} (optional)" if row["optional"] else str(row["step"])


def _title(steps: pl.DataFrame) -> str:
    if steps.is_empty():
        return "Ordered funnel"
    names = steps["step"]
    return f"Customers: {names[0]}" if len(names) == 1 else f"From {names[0]} to {names[-1]}"


def _why(drawn: list[Group]) -> str:
    firsts = [group.rows.row(0, named=True) for group in drawn if group.rows.height]
    immature = sum(row["n_immature"] for row in firsts)
    if immature:
        return f"Left out: {words.plural(immature, 'customer')} whose window has not closed yet."
    return "Nobody did the first step, or any other."


def _days(median: float | None) -> str:
    """Write a median of whole days: a half where two are in the middle."""
    return words.NO_ANSWER if median is None else f"{median:,.1f}".removesuffix(".0")


def _record(group: Group, row: Mapping[str, Any]) -> dict[str, Any]:
    entered = row["entered"]
    low, high = row["overall_lo"], row["overall_hi"]
    if row["position"] == 1 and not row["optional"] and row["mode"] != "any":
        # Who entered did the first step: 1 by definition, there is no uncertainty to draw.
        low = high = row["overall_rate"]
    who = [words.plural(row["audience"], "customer"), f"{entered:,} entered"]
    if row["n_immature"]:
        who.append(f"{row['n_immature']:,} immature")
    numbers = ("position", "customers", "entered", "previous", "median_days", "audience")
    rates = ("overall_rate", "overall_lo", "overall_hi", "step_rate", "step_lo", "step_hi")
    return {
        "group": group.label,
        "colour": _FEW if row["small"] else _ENOUGH,
        "name": _name(row),
        "step": row["step"],
        **{name: row[name] for name in (*numbers, *rates)},
        "lo_count": None if low is None else low * entered,
        "hi_count": None if high is None else high * entered,
        "count_text": words.count(row["customers"]),
        "overall_text": words.percent(row["overall_rate"]),
        "step_text": "" if row["previous"] is None else words.percent(row["step_rate"]),
        "days_text": _days(row["median_days"]),
        "of_entered": words.k_of_n(row["customers"], entered, row["overall_rate"]),
        "of_previous": words.k_of_n(row["customers"], row["previous"], row["step_rate"]),
        "overall_interval": words.interval(row["overall_lo"], row["overall_hi"]),
        "step_interval": words.interval(row["step_lo"], row["step_hi"]),
        "who": " \N{MIDDLE DOT} ".join(who),
    }


def _tooltip() -> list[alt.Tooltip]:
    label = ORDERED_FUNNEL_COUNTS.label
    return [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("step:N", title=label("step")),
        alt.Tooltip("of_entered:N", title=label("overall_rate")),
        alt.Tooltip("overall_interval:N", title="95 % interval"),
        alt.Tooltip("of_previous:N", title=label("step_rate")),
        alt.Tooltip("step_interval:N", title="95 % interval of that"),
        alt.Tooltip("days_text:N", title=label("median_days")),
    ]


def _told(table: pl.DataFrame, drawn: list[Group], records: list[dict[str, Any]]) -> list[str]:
    # Customers of several groups may be the same: they add up in no sum.
    n = f"{words.plural(records[0]['entered'], 'customer')} entered" if len(drawn) == 1 else ""
    how = []
    for days in table["window"].unique(maintain_order=True):
        span = "any time" if days is None else f"within {words.plural(days, 'day')}"
        how.append(f"{span} from the first step")
    how += [_MODES.get(mode, mode) for mode in table["mode"].unique(maintain_order=True)]
    settings = [words.settings(table.drop("window"), n=n), *how]
    read = [f"Thin line: 95{words.NBSP}% interval of the share of entered."]
    if table["optional"].any():
        read.append("As step before an optional one is passed over.")
    if any(record["colour"] == _FEW for record in records):
        read.append(f"Grey: {_FEW}.")
    return [" \N{MIDDLE DOT} ".join(settings), " ".join(read)]


def _description(title: str, drawn: list[Group]) -> str:
    whole, brief = [], []
    for group in drawn:
        rows = list(group.rows.iter_rows(named=True))
        start = f"{group.label}: of {words.plural(rows[0]['entered'], 'customer')} who entered,"
        long = []
        for row in rows:
            interval = words.interval(row["overall_lo"], row["overall_hi"])
            days = "" if row["median_days"] is None else f", median day {_days(row['median_days'])}"
            rate = f"{words.percent(row['overall_rate'])}, 95{words.NBSP}% interval {interval}"
            long.append(f"{row['customers']:,} got to {_name(row)} ({rate}{days})")
        short = [f"{words.percent(row['overall_rate'])} {row['step']}" for row in rows]
        few = f" These are {_FEW}: read the intervals." if rows[0]["small"] else ""
        whole.append(f"{start} {words.listed(long)}.{few}")
        brief.append(f"{start} {words.listed(short)}.")
    return alt_text(f"{title}.", whole, brief)
