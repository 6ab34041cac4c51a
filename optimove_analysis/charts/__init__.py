"""Charts: a result's table in, an Altair chart out, for the user to show, change or save.

A chart computes nothing: every number on it stands in the table. It carries its look in itself.
"""

from __future__ import annotations

from optimove_analysis.charts.anomalies import anomalies
from optimove_analysis.charts.channel_mix import channel_mix
from optimove_analysis.charts.frequency import frequency
from optimove_analysis.charts.funnel import funnel
from optimove_analysis.charts.ordered_funnel import ordered_funnel
from optimove_analysis.charts.save import save
from optimove_analysis.charts.tables import table
from optimove_analysis.charts.theme import channel_colours, themed
from optimove_analysis.charts.time_to_engage import time_to_engage

__all__ = [
    "anomalies",
    "channel_colours",
    "channel_mix",
    "frequency",
    "funnel",
    "ordered_funnel",
    "save",
    "table",
    "themed",
    "time_to_engage",
]
