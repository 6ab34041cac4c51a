"""Charts: a result's table in, an Altair chart out, for the user to show, change or save.

A chart computes nothing: every number on it stands in the table. It carries its look in itself.
"""

from __future__ import annotations

from optimove_analysis.charts.anomalies import anomalies
from optimove_analysis.charts.audit import audit
from optimove_analysis.charts.calendar import calendar
from optimove_analysis.charts.channel_mix import channel_mix
from optimove_analysis.charts.compare import compare
from optimove_analysis.charts.diversity import diversity
from optimove_analysis.charts.drift import drift
from optimove_analysis.charts.explain_change import explain_change
from optimove_analysis.charts.frequency import frequency
from optimove_analysis.charts.funnel import funnel
from optimove_analysis.charts.hand_off import hand_off
from optimove_analysis.charts.journey import journey
from optimove_analysis.charts.ordered_funnel import ordered_funnel
from optimove_analysis.charts.overlap import overlap
from optimove_analysis.charts.preferred_channel import preferred_channel
from optimove_analysis.charts.rates import rates
from optimove_analysis.charts.recency import recency
from optimove_analysis.charts.save import save
from optimove_analysis.charts.shrink import shrink
from optimove_analysis.charts.tables import table
from optimove_analysis.charts.theme import channel_colours, themed
from optimove_analysis.charts.tiers import tiers
from optimove_analysis.charts.time_to_engage import time_to_engage
from optimove_analysis.charts.transitions import transitions

__all__ = [
    "anomalies",
    "audit",
    "calendar",
    "channel_colours",
    "channel_mix",
    "compare",
    "diversity",
    "drift",
    "explain_change",
    "frequency",
    "funnel",
    "hand_off",
    "journey",
    "ordered_funnel",
    "overlap",
    "preferred_channel",
    "rates",
    "recency",
    "save",
    "shrink",
    "table",
    "themed",
    "tiers",
    "time_to_engage",
    "transitions",
]
