"""The form for one customer, or a few: id, range and channels in; funnel, mix and journey out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

import ipywidgets as widgets

from optimove_analysis import charts
from optimove_analysis.analysis import channel_mix, dossier, funnel, journey
from optimove_analysis.errors import InputError
from optimove_analysis.forms.code import view_code
from optimove_analysis.forms.counting_fields import CountingFields, chosen_days
from optimove_analysis.forms.fields import Line, split_ids
from optimove_analysis.forms.form import ROW, Form, ask_source
from optimove_analysis.forms.page_parts import SpeakingLine
from optimove_analysis.forms.parts import picture
from optimove_analysis.forms.results import CustomerResults
from optimove_analysis.forms.source import Source
from optimove_analysis.forms.view import Dossiers, View

__all__ = ["CustomerForm"]

_YEAR: Final = dt.timedelta(days=364)
_NAMED: Final = 3
"""So many ids are named in a line."""


class CustomerForm(Form[View]):
    """How one customer, or a few, respond to campaigns, and on which channel.

    Show it as the last line of a cell, or set `value` and call `run` from code: both do the same.
    What was found is in `view`; what went wrong is said on the form and kept in `error`. A click on
    Run works in a thread, so that the kernel stays free and Cancel is heard.

    Args:
        source: where the data comes from: an `OptimoveClient`, or whatever answers alike.
        customer_id: the customer, or several with commas between.
        start: the first day of the sends; a year before ``end`` by default.
        end: the last day; by default the day through which the data is complete.
        customers: ids to complete from while one types: a frame's column, a target group's.
        **value: more of what the form asks for: ``channels``, ``campaigns``, ``window``, ``unit``,
            ``opens``; see `value`.

    Raises:
        InputError: a value that the form does not know; the message says which it knows.
    """

    def __init__(
        self,
        source: Source,
        *,
        customer_id: str | Iterable[str] = "",
        start: dt.date | str | None = None,
        end: dt.date | str | None = None,
        customers: Iterable[str] = (),
        **value: Any,  # noqa: ANN401 - as the fields have them
    ) -> None:
        line = SpeakingLine()
        self._catalogue, last = ask_source(source, line)
        self._counting = CountingFields(self._catalogue, last)
        self._customer = Line("Customer", suggestions=customers, placeholder="000001")
        super().__init__(source, {"customer_id": self._customer, **self._counting.all})
        self._line = line
        self._shown = CustomerResults()
        who = widgets.HBox([self._customer.widget, *self._counting.days], layout=ROW)
        self._lay_out([who, *self._counting.rows], self._shown.widget)
        self._counting.end.value = end or last
        self._counting.start.value = start or (self._counting.end.value or last) - _YEAR
        self.value = {"customer_id": customer_id, **value}

    def _find(self, asked: Mapping[str, Any]) -> View:
        ids = split_ids(asked["customer_id"])
        if not ids:
            raise InputError("type a customer's id, such as 000001 (leading zeros count).")
        start, end = chosen_days(asked)
        self._line.say(f"Asking for {self._about(asked)} ...")
        found = self.source.interactions(ids, start, end, progress=self._progress)
        found = self._counting.narrow(found, asked)
        self._job.go_on()
        rules = self._counting.rules(asked)
        # The picture that most people look at is drawn first, the rest behind it.
        by_stage = funnel(found, unit=asked["unit"], **rules)
        funnel_chart = picture("Funnel", lambda: charts.funnel(by_stage, columns=2))
        self._shown.show_funnel(
            by_stage, funnel_chart, picture("Funnel", lambda: charts.funnel(by_stage, columns=1))
        )
        self._show_results(asked)
        shares = channel_mix(found, **rules)
        mix_chart = picture("Channel mix", lambda: charts.channel_mix(shares))
        narrow = picture("Channel mix", lambda: charts.channel_mix(shares, width=150))
        self._shown.show_mix(shares, mix_chart, narrow)
        self._job.go_on()
        present = set(found["customer_id"])
        view = View(
            interactions=found,
            funnel=by_stage,
            mix=shares,
            journey=journey(found, catalogue=self._catalogue),
            funnel_chart=funnel_chart,
            mix_chart=mix_chart,
            dossiers=Dossiers(
                [one for one in ids if one in present], lambda one: dossier(found, one, **rules)
            ),
            code=view_code(asked, self._counting.channel_ids(asked)),
        )
        self._shown.show_rest(view, self._catalogue)
        self._counting.campaigns.suggest(found["campaign_id"].drop_nulls().unique().sort())
        self._line.say(_told(view, asked, self._about(asked)))
        return view

    def _about(self, asked: Mapping[str, Any]) -> str:
        ids = split_ids(asked["customer_id"])
        more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
        return f"{', '.join(ids[:_NAMED])}{more}, {asked['start']} to {asked['end']}"


def _told(view: View, asked: Mapping[str, Any], about: str) -> str:
    if view.interactions.is_empty():
        kept = "" if not (asked["channels"] or asked["campaigns"]) else ", channel and campaign"
        return f"No interactions of {about}. Is the id right, leading zeros included{kept}?"
    messages, events = view.journey.height, view.interactions.height
    return (
        f"{about}: {messages:,} message{'' if messages == 1 else 's'}, "
        f"{events:,} interaction{'' if events == 1 else 's'}."
    )
