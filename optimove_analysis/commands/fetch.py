"""``fetch``: the interactions of customers into a file."""

from __future__ import annotations

import argparse
import json

from optimove_analysis.client import Collected, OptimoveClient
from optimove_analysis.commands.account import open_client
from optimove_analysis.commands.failures import (
    SOME_FAILED,
    OnError,
    on_error_of,
    write_failures,
)
from optimove_analysis.commands.ids import ids_of
from optimove_analysis.commands.output import check_output, write_frame
from optimove_analysis.commands.progress import Shown
from optimove_analysis.schema import FAILURES

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Fetch; return 3 if some customers failed."""
    check_output(options.output)
    on_error = on_error_of(options)
    ids = ids_of(options)
    with (
        open_client(options, offline=options.offline) as client,
        Shown(quiet=options.quiet) as shown,
    ):
        interactions, failures = _fetched(client, ids, options, shown, on_error)
        sent = client.quota.sent
    cached = shown.last.cached if shown.last else len(ids) - failures.height
    write_frame(interactions, options.output)
    write_failures(failures, options)
    if options.json:
        said = {
            "path": str(options.output),
            "rows": interactions.height,
            "customers": len(ids),
            "failed": failures.height,
            "requests_sent": sent,
            "from_cache": cached,
            "failures": str(options.failures) if options.failures else None,
        }
        print(json.dumps(said))
    elif not options.quiet:
        failed = f", {failures.height:,} failed" if failures.height else ""
        print(
            f"{interactions.height:,} interactions of {len(ids):,} customers{failed}; {sent:,} "
            f"requests sent, {cached:,} answers from the cache: {options.output}"
        )
    return SOME_FAILED if failures.height else 0


def _fetched(
    client: OptimoveClient,
    ids: list[str],
    options: argparse.Namespace,
    shown: Shown,
    on_error: OnError,
) -> Collected:
    start, end, refresh = options.start, options.end, options.refresh
    if on_error == "collect":
        return client.interactions(
            ids, start, end, progress=shown, refresh=refresh, on_error="collect"
        )
    interactions = client.interactions(ids, start, end, progress=shown, refresh=refresh)
    return Collected(interactions, FAILURES.empty())
