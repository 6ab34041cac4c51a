"""``snapshot``: the answers for customers in one file, to be replayed without network or key."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress

from optimove_analysis.commands.account import open_client
from optimove_analysis.commands.ids import ids_of
from optimove_analysis.commands.output import check_folder
from optimove_analysis.commands.progress import Shown
from optimove_analysis.commands.pseudonym_key import pseudonym_key
from optimove_analysis.errors import ApiError, InputError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Fetch what a study needs, or take it from the cache, and write it to one file."""
    check_folder(options.output)
    if options.output.exists() and not options.overwrite:
        raise InputError(f"{options.output} is there already; --overwrite puts this in its place.")
    secret = pseudonym_key(options)
    ids = ids_of(options)
    with open_client(options) as client, Shown(quiet=options.quiet) as shown:
        interactions = client.interactions(ids, options.start, options.end, progress=shown)
        client.channels()
        with suppress(ApiError):  # Optimove's own test environment does not say
            client.last_update()
        client.snapshot(
            options.output, note=options.note, pseudonymise=secret, overwrite=options.overwrite
        )
        sent = client.quota.sent
    size = options.output.stat().st_size
    if options.json:
        said = {
            "path": str(options.output),
            "rows": interactions.height,
            "customers": len(ids),
            "requests_sent": sent,
            "size": size,
            "pseudonymised": secret is not None,
        }
        print(json.dumps(said))
    elif not options.quiet:
        print(f"{len(ids):,} customers, {sent:,} requests sent: {options.output}")
    return 0
