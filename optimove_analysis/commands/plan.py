"""``plan``: what a fetch would cost, before anything is sent."""

from __future__ import annotations

import argparse
import json

from optimove_analysis.commands.account import open_client
from optimove_analysis.commands.ids import ids_of

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the plan."""
    ids = ids_of(options)
    with open_client(options) as client:
        plan = client.plan(ids, options.start, options.end, refresh=options.refresh)
    print(json.dumps(plan.as_dict()) if options.json else plan)
    return 0
