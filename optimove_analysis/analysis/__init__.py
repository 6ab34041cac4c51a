"""Pure analysis, one noun a file: frames in, frames out, no network, no drawing.

``messages``: interactions to messages. ``rules``: the options that all share. ``counting``: which
messages count and what they reached. ``grouping``: ``by=``. ``channels``: what is known of a
channel. ``intervals``: closed forms. ``notes``: what a reader must know. The others are answers,
each a function of its file's name.
"""

from __future__ import annotations

from optimove_analysis.analysis.audit import audit
from optimove_analysis.analysis.channel_mix import channel_mix
from optimove_analysis.analysis.diversity import diversity
from optimove_analysis.analysis.dossier import Dossier, dossier
from optimove_analysis.analysis.drift import drift
from optimove_analysis.analysis.explain_change import explain_change
from optimove_analysis.analysis.funnel import funnel
from optimove_analysis.analysis.journey import journey
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.ordered_funnel import ordered_funnel, ordered_funnel_counts
from optimove_analysis.analysis.ordered_steps import step
from optimove_analysis.analysis.preferred_channel import preferred_channel
from optimove_analysis.analysis.rates import rates

__all__ = [
    "Dossier",
    "audit",
    "channel_mix",
    "diversity",
    "dossier",
    "drift",
    "explain_change",
    "funnel",
    "journey",
    "messages",
    "ordered_funnel",
    "ordered_funnel_counts",
    "preferred_channel",
    "rates",
    "step",
]
