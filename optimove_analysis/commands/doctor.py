"""``doctor``: is all well that a fetch stands on?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from optimove_analysis.client.doctor import (
    Check,
    check_api,
    check_cache,
    check_dotenv,
    check_quota,
    check_state,
    check_versions,
)
from optimove_analysis.client.environment import cache_folder, sources, state_folder
from optimove_analysis.client.keys import find_key
from optimove_analysis.client.settings import Settings
from optimove_analysis.commands.account import instance_of, open_client
from optimove_analysis.errors import OptimoveAnalysisError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the checks; return 1 if one of them fails."""
    checks = [*check_versions(), *filter(None, [check_dotenv(Path.cwd())])]
    try:
        client = open_client(options, offline=options.offline)
    except OptimoveAnalysisError as error:
        checks.append(Check("instance and key", "fails", str(error)))
        checks += [*check_cache(cache_folder(options.cache_dir)), check_state(state_folder())]
    else:
        with client:
            checks += _origins(client.settings, options)
            checks += check_cache(client.settings.cache_dir, client.cache.path)
            checks.append(check_state(client.settings.state_dir))
            if not options.offline:
                checks += check_api(client.settings, client.quota)
            checks.append(check_quota(client.quota))
    fails = any(check.state == "fails" for check in checks)
    if options.json:
        print(json.dumps({"ok": not fails, "checks": [check.as_dict() for check in checks]}))
    else:
        print(*checks, sep="\n")
    return int(fails)


def _origins(settings: Settings, options: argparse.Namespace) -> list[Check]:
    """Say where instance and key come from, never the key."""
    where = "the command line" if options.instance else sources()["OPTIMOVE_INSTANCE"]
    instance = Check("instance", "ok", f"{settings.url}, from {where}.")
    if instance_of(options) == "sandbox":
        return [instance, Check("API key", "ok", "the sandbox's own.")]
    found = find_key(settings.url) if settings.credential.known else None
    if found is None:
        return [instance, Check("API key", "ok", "none, and offline none is needed.")]
    return [instance, Check("API key", "ok", f"from {found.source}.")]
