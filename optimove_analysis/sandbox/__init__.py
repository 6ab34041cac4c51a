"""A whole invented account on this machine: the API over real HTTP, and the world behind it.

>>> from optimove_analysis.sandbox import sandbox
>>> with sandbox(seed=7, customers=5_000) as box:
...     box.world.customer_ids(2)
['000001', '002501']

``world``: the tenant, computed on request from a seed. ``server``: the server and its faults.
``endpoints``: the table of endpoints; a new one is one row. ``samples``: answers written to files.
"""

from __future__ import annotations

from optimove_analysis.sandbox.app import NO_ANSWER, Served
from optimove_analysis.sandbox.server import Delays, Sandbox, sandbox, serve_forever
from optimove_analysis.sandbox.world import WORLD_VERSION, World

__all__ = [
    "NO_ANSWER",
    "WORLD_VERSION",
    "Delays",
    "Sandbox",
    "Served",
    "World",
    "sandbox",
    "serve_forever",
]
