"""What a run would cost, in a line."""

from __future__ import annotations

from collections.abc import Sequence

from optimove_analysis.forms.slices import clock
from optimove_analysis.forms.source import FetchPlan

__all__ = ["plan_text"]


def plan_text(plans: Sequence[FetchPlan]) -> str:
    """Say what some fetches cost together."""
    asked = sum(plan.customers for plan in plans)
    to_fetch = sum(plan.to_fetch for plan in plans)
    requests = sum(plan.requests for plan in plans)
    seconds = sum(plan.seconds for plan in plans)
    if len(plans) > 1:
        answers = f"{asked:,} answers ({' + '.join(f'{plan.customers:,}' for plan in plans)})"
    else:
        answers = f"{asked:,} customer{'' if asked == 1 else 's'}"
    if to_fetch and not requests:
        return f"Plan: {answers}; {to_fetch:,} are not kept, and nothing is sent offline."
    if not requests:
        return f"Plan: {answers}, all of them kept: no requests, at once."
    when = f"about {clock(seconds)}" if seconds >= 1 else "at once"
    kept = f", {asked - to_fetch:,} kept" if to_fetch < asked else ""
    many = f"{requests:,} request{'' if requests == 1 else 's'}"
    return f"Plan: {answers}{kept}; {many}, {when}."
