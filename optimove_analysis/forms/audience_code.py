"""The code that reproduces what an audience's form shows, in plain calls of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from optimove_analysis.forms.code import counting_code, fetching_code, narrowing_code
from optimove_analysis.forms.comparison import ARM
from optimove_analysis.forms.slices import Part

__all__ = ["IDS_FILE", "OTHER_IDS_FILE", "audience_code"]

_MOST_IN_CODE: Final = 200
"""More ids than this are read from a file: nobody would scroll past them."""
IDS_FILE: Final = "customer_ids.txt"
OTHER_IDS_FILE: Final = "other_customer_ids.txt"


def audience_code(
    asked: Mapping[str, Any], part: Part, base: Part | None, channel_ids: Sequence[int]
) -> str:
    """Return the code that makes the same numbers of those who came.

    Args:
        asked: the form's ``value``.
        part: the audience.
        base: the other audience, or the earlier period; None where nothing is compared.
        channel_ids: the ids of the channels that are asked for; none: all.
    """
    periods = asked["compare"] == "period"
    narrowing = narrowing_code(asked, channel_ids)
    lines = [
        *_head(part, base),
        *_ids("customer_ids", asked["customers"], part, IDS_FILE),
        *_fetch("interactions", "failures", "customer_ids", part),
        *narrowing,
        *counting_code(asked),
        "rates = oa.rates(interactions, **rules)",
        'mix_by_month = oa.channel_mix(interactions, every="1mo", **rules)',
    ]
    if base is not None:
        same = periods and part.came == base.came
        names = "customer_ids" if same else "other_ids"
        lines.append("")
        if not same:
            asked_other = None if periods else asked["other"]
            lines += _ids("other_ids", asked_other, base, OTHER_IDS_FILE)
        lines += [
            *_fetch("base", "base_failures", names, base),
            *(line.replace("interactions", "base") for line in narrowing),
            *_compare(part, base, periods=periods, same=same),
        ]
    return "\n".join([*lines, "", "oa.charts.funnel(funnel)"])


def _head(part: Part, base: Part | None) -> list[str]:
    others = [] if base is None else [base]
    head = fetching_code([], {"start": part.start, "end": part.end})[:-2]
    if any(_in_file(one) for one in (part, *others)):
        head = ["from pathlib import Path", "", *head]
    return head


def _in_file(part: Part) -> bool:
    return len(part.came) > _MOST_IN_CODE


def _ids(name: str, asked: object, part: Part, file: str) -> list[str]:
    if isinstance(asked, Mapping) and len(part.came) == len(part.ids):
        group, day = asked["target_group"], asked["day"]
        return [
            f'{name} = client.customers({group}, "{day}")["customer_id"]',
            f"{name} = {name}.drop_nulls().unique(maintain_order=True)",
        ]
    if _in_file(part):
        return [
            f"# The form's export has this file: {len(part.came):,} ids, one a line.",
            f'{name} = Path("{file}").read_text(encoding="utf-8").splitlines()',
        ]
    listed = fetching_code(part.came, {"start": part.start, "end": part.end})[-2]
    return [f"{name}{listed.removeprefix('customer_ids')}"]


def _fetch(name: str, failures: str, ids: str, part: Part) -> list[str]:
    return [
        f"{name}, {failures} = client.interactions(",
        f'    {ids}, "{part.start}", "{part.end}", on_error="collect"',
        ")",
    ]


def _compare(part: Part, base: Part, *, periods: bool, same: bool) -> list[str]:
    left_out = ["# Without those who are in both, so that the arms are independent."]
    if same:
        left_out = ["left_out: set[str] = set()"]
    elif periods:
        left_out = ["# Only those who were answered for in both periods."]
        left_out.append("left_out = set(customer_ids) ^ set(other_ids)")
    else:
        left_out.append("left_out = set(customer_ids) & set(other_ids)")
    lines = [
        *left_out,
        "arms = pl.concat([",
        f"    base.with_columns({ARM}=pl.lit({base.name!r})),",
        f"    interactions.with_columns({ARM}=pl.lit({part.name!r})),",
        ']).filter(~pl.col("customer_id").is_in(list(left_out)))',
        f'between = {{"between": "{ARM}", "baseline": {base.name!r}, "against": {part.name!r}}}',
        "comparison = oa.compare(arms, **between, **rules)",
    ]
    if periods:
        days = ", ".join(
            f'"{name}": ("{one.start}", "{one.end}")'
            for name, one in (("before", base), ("after", part))
        )
        lines += [
            f"periods = {{{days}}}",
            "explained = oa.explain_change(arms, **periods, **rules)",
            "drift = oa.drift(arms, **periods, **rules)",
        ]
    return lines
