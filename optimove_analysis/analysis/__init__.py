"""Pure analysis, one noun a file: frames in, frames out, no network, no drawing.

``messages``: interactions to messages. ``counting``: which messages count and what they reached.
``funnel``, ``channel_mix``, ``journey``: the answers. ``rates``: intervals. ``notes``: what a
reader must know.
"""

from __future__ import annotations

from optimove_analysis.analysis.channel_mix import channel_mix
from optimove_analysis.analysis.funnel import funnel
from optimove_analysis.analysis.journey import journey
from optimove_analysis.analysis.messages import messages

__all__ = ["channel_mix", "funnel", "journey", "messages"]
