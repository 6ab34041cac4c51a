"""The form for an audience: whom, when and against what in; rates, funnel and mix out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as widgets

from optimove_analysis.charts import words
from optimove_analysis.errors import CancelledError, OptimoveAnalysisError
from optimove_analysis.forms.audience_code import audience_code
from optimove_analysis.forms.audience_field import AudienceField
from optimove_analysis.forms.audience_results import AudienceResults
from optimove_analysis.forms.audience_view import AudienceView, count
from optimove_analysis.forms.compare_fields import CompareFields, earlier_days
from optimove_analysis.forms.comparison import compare_parts, names_apart
from optimove_analysis.forms.counting_fields import CountingFields, chosen_days
from optimove_analysis.forms.form import ROW, Form, ask_source
from optimove_analysis.forms.job import Latest, Painter
from optimove_analysis.forms.page_parts import SpeakingLine
from optimove_analysis.forms.plan_line import plan_text
from optimove_analysis.forms.slices import Part, Slices
from optimove_analysis.forms.source import AudienceSource

__all__ = ["AudienceForm"]

_YEAR = dt.timedelta(days=364)
_MANY: Final = 10_000
"""So many customers are planned in a moment; more in a thread."""


class AudienceForm(Form[AudienceView]):
    """How many customers respond to campaigns, on which channels, and against whom or when.

    Show it as the last line of a cell, or set `value` and call `run` from code: both do the same.
    What a run costs is said before it. While it runs, what came so far is counted and drawn now and
    then; Cancel keeps that, and shows it with how many customers it is of. One customer's failure
    does not stop the others: it is counted, and has a row in ``view.failures``.

    Args:
        source: where the data comes from: an `OptimoveClient`, or whatever answers alike.
        customers: ids, as text or in a list or frame's column; or
            ``{"target_group": 3, "day": day}``.
        start: the first day of the sends; a year before ``end`` by default.
        end: the last day; by default the day through which the data is complete.
        **value: more of what the form asks for: ``channels``, ``campaigns``, ``window``, ``unit``,
            ``opens``; ``compare`` (``"nothing"``, ``"audience"`` or ``"period"``), ``other`` (as
            ``customers``) and ``before`` (two days; None: directly before, as long).

    Raises:
        InputError: a value that the form does not know; the message says which it knows.
    """

    source: AudienceSource

    def __init__(
        self,
        source: AudienceSource,
        *,
        customers: str | Iterable[Any] | Mapping[str, Any] = (),
        start: dt.date | str | None = None,
        end: dt.date | str | None = None,
        **value: Any,  # noqa: ANN401 - as the fields have them
    ) -> None:
        line = SpeakingLine()
        self._catalogue, last = ask_source(source, line)
        self._plan, self._planner, self._ready = SpeakingLine(), Latest(), False
        self._partial: AudienceView | None = None
        self._counting = CountingFields(self._catalogue, last)
        self._audience = AudienceField(source, "Customers", last, self._replan)
        self._held_against = CompareFields(source, last, self._replan)
        fields = {"customers": self._audience, **self._counting.all, **self._held_against.all}
        super().__init__(source, fields)
        self._line = line
        self._shown = AudienceResults()
        self._lay_out(
            [
                self._audience.widget,
                widgets.HBox(self._counting.days, layout=ROW),
                *self._counting.rows,
                self._held_against.widget,
                self._plan,
            ],
            self._shown.widget,
        )
        self._counting.end.value = end or last
        self._counting.start.value = start or (self._counting.end.value or last) - _YEAR
        self.value = {"customers": customers, **value}
        for day in (self._counting.start, self._counting.end):
            day.widget.observe(lambda _: self._replan(), "value")
        self._ready = True
        self._replan()

    def _replan(self) -> None:
        """Say what a run would cost now."""
        if not self._ready or self.running:
            return
        self._say_plan()

    def _say_plan(self) -> None:
        try:
            parts = self._parts(self.value, load=False)
        except OptimoveAnalysisError:
            self._plan.clear()  # not all is chosen yet; Run says what is missing
            return
        work = partial(self._tell_plan, parts)
        if sum(len(part.ids) for part in parts) <= _MANY and not self._planner.busy:
            work()
        else:
            self._planner.offer(work)

    def _tell_plan(self, parts: Sequence[Part]) -> None:
        try:
            plans = [self.source.plan(list(one.ids), one.start, one.end) for one in parts]
        except Exception as error:  # noqa: BLE001 - a run says what goes wrong; this only foretells
            known = isinstance(error, OptimoveAnalysisError)
            self._plan.warn(str(error) if known else f"unexpected {type(error).__name__}: {error}")
        else:
            self._plan.say(plan_text(plans))

    def _parts(self, asked: Mapping[str, Any], *, load: bool) -> list[Part]:
        """Return what is to be fetched: the audience, and what it is held against.

        Raises:
            InputError: something is not chosen, or not known and may not be asked for.
        """
        start, end = chosen_days(asked)
        name, ids = self._audience.members(asked["customers"], load=load)
        if asked["compare"] == "period":
            first, last = earlier_days(asked["before"], start, end)
            return [
                Part(f"{start} to {end}", ids, start, end),
                Part(f"{first} to {last}", ids, first, last),
            ]
        name = name or "The audience"
        if asked["compare"] != "audience":
            return [Part(name, ids, start, end)]
        other, others = self._held_against.other.members(asked["other"], load=load)
        name, other = names_apart(name, other or "The other audience")
        return [Part(name, ids, start, end), Part(other, others, start, end)]

    def _find(self, asked: Mapping[str, Any]) -> AudienceView:
        self._partial = None
        self._counting.check(asked)
        parts = self._parts(asked, load=True)
        painter, stopped = Painter(), None
        try:
            for _ in Slices(self.source, parts).gather(self._progress):
                now = [_still(part) for part in parts]
                painter.offer(partial(self._show, asked, now))
        except OptimoveAnalysisError as error:
            stopped = error
        finally:
            painter.finish()
        if stopped is not None and not parts[0].came:
            raise stopped
        if stopped is None:
            self._line.say("Counting ...")
        view = self._show(asked, parts)
        self._shown.settle()
        if stopped is not None and not isinstance(stopped, CancelledError):
            self._partial = view
            raise stopped
        self._counting.campaigns.suggest(
            view.interactions["campaign_id"].drop_nulls().unique().sort()
        )
        # A Cancel that comes when all were asked for has come too late.
        self._line.say(_told(view, cancelled=stopped is not None and not view.complete))
        return view

    def _about(self, asked: Mapping[str, Any]) -> str:
        whom: Any = asked["customers"]
        if isinstance(whom, dict):
            name, _ = self._audience.members(whom, load=False)
            who = f"{name} on {whom['day']}"
        else:
            who = f"{len(whom):,} customer{'' if len(whom) == 1 else 's'}"
        against = {"audience": ", against another audience", "period": ", against earlier days"}
        return f"{who}, {asked['start']} to {asked['end']}{against.get(asked['compare'], '')}"

    def _show(self, asked: Mapping[str, Any], parts: Sequence[Part]) -> AudienceView:
        """Count and draw what came of the parts."""
        part, *others = parts
        base = others[0] if others and others[0].came else None
        rules = self._counting.rules(asked)
        rows = {
            one.name: self._counting.narrow(one.interactions, asked)
            for one in (part, base)
            if one is not None
        }
        comparison = None
        if base is not None:
            periods = asked["compare"] == "period"
            comparison = compare_parts(
                base, part, rows, periods=periods, unit=asked["unit"], rules=rules
            )
        view = count(
            part,
            base,
            interactions=rows[part.name],
            complete=all(one.share == 1 for one in parts),
            comparison=comparison,
            unit=asked["unit"],
            rules=rules,
            code=audience_code(asked, part, base, self._counting.channel_ids(asked)),
        )
        self._shown.show(view)
        self._show_results(asked)
        return view

    def _fail(self, error: BaseException) -> None:
        shown, of = self._partial, self._shown_for
        super()._fail(error)
        if shown is not None and of is not None:  # what came is the answer for those who came
            self.view = shown
            self._show_results(of)
            self._line.warn(f"{error} What came is shown: {shown.so_far}.")

    def _show_busy(self, busy: bool) -> None:  # noqa: FBT001 - it is what a `Job` tells
        super()._show_busy(busy)
        if busy:
            self._plan.clear()
        else:  # what it would cost to go on, or to run again
            self._say_plan()


def _still(part: Part) -> Part:
    """Return a part as it is now: it grows while this is counted."""
    return dataclasses.replace(part, frames=[*part.frames], failures=[*part.failures])


def _told(view: AudienceView, *, cancelled: bool) -> str:
    events, messages = view.interactions.height, int(view.mix["sends"].sum())
    who = view.so_far or words.plural(view.asked, "customer")
    counted = words.plural(messages, "message")
    told = f"{who}: {counted} that count, {words.plural(events, 'interaction')}."
    if cancelled:
        told = f"Cancelled; shown are {told} Run goes on from there."
    if failed := view.failures.height:
        told += f" {failed:,} failed: see Failures."
    if not events and not cancelled:
        told += " Are the ids right, leading zeros included?"
    return told.replace(words.NBSP, " ")
