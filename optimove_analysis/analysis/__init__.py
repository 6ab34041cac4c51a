"""Pure analysis, one noun a file: frames in, frames out, no network, no drawing.

``messages``: interactions to messages. ``rules``: the options that all share. ``judging``: which
messages count and what they reached. ``counting``: how many of each sort, with ``keys``,
``patterns`` and ``clusters``. ``grouping``: ``by=``. ``channels``: what is known of a channel.
``intervals``, ``shrinkage``: closed forms. ``notes``: what a reader must know. The others are
answers, each a function of its file's name, or the sums that one is made of.

The same rows give the same bytes, run after run and with any number of threads: whole numbers are
added up as such, and other numbers by ``steady``. In another order of rows, or from an engine other
than polars, the last digit of a float may be another.
"""

from __future__ import annotations

from optimove_analysis.analysis.anomalies import anomalies
from optimove_analysis.analysis.audit import audit
from optimove_analysis.analysis.channel_mix import channel_mix
from optimove_analysis.analysis.compare import compare
from optimove_analysis.analysis.contrast import frequency_contrast
from optimove_analysis.analysis.diversity import diversity
from optimove_analysis.analysis.dossier import Dossier, dossier
from optimove_analysis.analysis.drift import drift
from optimove_analysis.analysis.explain_change import explain_change
from optimove_analysis.analysis.frequency import frequency
from optimove_analysis.analysis.funnel import funnel
from optimove_analysis.analysis.hand_off import hand_off
from optimove_analysis.analysis.journey import journey
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.methods import methods
from optimove_analysis.analysis.ordered_funnel import ordered_funnel, ordered_funnel_counts
from optimove_analysis.analysis.ordered_steps import step
from optimove_analysis.analysis.overlap import overlap
from optimove_analysis.analysis.preferred_channel import preferred_channel
from optimove_analysis.analysis.rates import rates
from optimove_analysis.analysis.recency import recency
from optimove_analysis.analysis.shrink import shrink
from optimove_analysis.analysis.tiers import tiers
from optimove_analysis.analysis.time_to_engage import time_to_engage
from optimove_analysis.analysis.transitions import transitions

__all__ = [
    "Dossier",
    "anomalies",
    "audit",
    "channel_mix",
    "compare",
    "diversity",
    "dossier",
    "drift",
    "explain_change",
    "frequency",
    "frequency_contrast",
    "funnel",
    "hand_off",
    "journey",
    "messages",
    "methods",
    "ordered_funnel",
    "ordered_funnel_counts",
    "overlap",
    "preferred_channel",
    "rates",
    "recency",
    "shrink",
    "step",
    "tiers",
    "time_to_engage",
    "transitions",
]
