"""``doctor``: is all well that a fetch stands on?"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
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
        print(_table(checks))
    return int(fails)


def _table(checks: list[Check]) -> str:
    """Return the checks in columns; on a terminal, long ones broken into lines."""
    name = max(len(check.name) for check in checks)
    # What reads a pipe wants one line a check.
    wide = min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else sys.maxsize
    indent = " " * (len("warning") + name + 4)
    return "\n".join(
        textwrap.fill(
            f"{check.state:<7}  {check.name:<{name}}  {check.found} {check.todo}".rstrip(),
            max(wide, len(indent) + 20),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for check in checks
    )


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
