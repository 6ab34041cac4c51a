"""A cell of a table in words: its number as on the charts, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import ALL_CHANNELS
from optimove_analysis.charts.main_results import Main, Written
from optimove_analysis.charts.signed import (
    lift,
    lift_interval,
    points,
    points_interval,
    signed_ratio,
)
from optimove_analysis.schema import MEAN_OPENS, STAGES

__all__ = ["cell", "interval_cell"]

_OF_A_STAGE: Final = (
    "messages",
    "engagements",
    "n_observed",
    "n_implied",
    "n_late",
    "overall_",
    "step_",
    "previous",
    "share_of_engagements",
    "index",
)
_LEAST: Final = 0.001
_WRITERS: Final[Mapping[Written, Callable[[float], str]]] = {
    "percent": words.percent,
    "points": points,
    "lift": lift,
    "number": "{:g}".format,
    "digits": "{:.2g}".format,
    "chance": lambda p: "<0.001" if p < _LEAST else f"{p:.3f}",
}


def cell(name: str, value: Any, row: Mapping[str, Any], main: Main | None) -> str:  # noqa: ANN401 - a cell of any column
    """Write a value; null is a dash, or "n/a" where the channel lacks the stage.

    Args:
        name: its column.
        value: what stands there.
        row: the whole row, which says what kind of value it is.
        main: what is known of the result.
    """
    if value is None:
        return _null(name, row, main)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _float(name, value, row, main)
    if isinstance(value, int):
        return str(value) if name.endswith("_id") else f"{value:,}"
    if isinstance(value, list):
        # Names are a list, notes are sentences.
        return words.listed(value) or "none" if name == "channels" else " ".join(map(str, value))
    text = str(value)
    return text.capitalize().replace("_", " ") if name in ("stage", "check") else text


def _null(name: str, row: Mapping[str, Any], main: Main | None) -> str:
    if name == "channel" and main is not None:
        return ALL_CHANNELS
    if main is not None and name in main.stages:
        return words.NO_STAGE if row.get(main.stages[name], 0) is None else words.NO_ANSWER
    # In a funnel and a mix the count says whether the channel has the stage at all.
    counts = [row[count] for count in ("messages", "engagements") if count in row]
    lacks = bool(counts) and counts[0] is None and name.startswith(_OF_A_STAGE)
    return words.NO_STAGE if lacks else words.NO_ANSWER


def _written(name: str, main: Main | None) -> Written | None:
    if main is not None and name in main.written:
        return main.written[name]
    is_rate = name.endswith(("_rate", "_lo", "_hi")) or name.startswith("share_of")
    return "percent" if is_rate else None


def _is_mean(row: Mapping[str, Any]) -> bool:
    """Whether the row's value is a mean, which must not be written as a percentage."""
    return MEAN_OPENS in (row.get("rate"), row.get("label"))


def _float(name: str, value: float, row: Mapping[str, Any], main: Main | None) -> str:
    written = _written(name, main)
    # The shares of a change are of messages, whatever the rate.
    if written is None or (_is_mean(row) and not name.startswith("share")):
        return signed_ratio(value) if written == "points" else words.ratio(value)
    return _WRITERS[written](value)


def interval_cell(
    name: str, ends: tuple[str, str], row: Mapping[str, Any], main: Main | None
) -> str:
    """Write both ends of a value's interval; without a value, the value's own word says why."""
    if row[name] is None:
        return cell(name, None, row, main)
    low, high = row[ends[0]], row[ends[1]]
    # Sent of sent is 1 by definition, not by estimate.
    if low is None or high is None or (row.get("stage") == STAGES[0] and name == "overall_rate"):
        return words.NO_ANSWER
    written = _written(name, main)
    if _is_mean(row) and written == "points":
        return f"{signed_ratio(low)} to {signed_ratio(high)}"
    if written is None or _is_mean(row):
        return words.ratio_interval(low, high)
    if written == "points":
        return points_interval(low, high)
    return lift_interval(low, high) if written == "lift" else words.interval(low, high)
