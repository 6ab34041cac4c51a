"""``login`` and ``logout``: the API key into the system's keyring, and out of it."""

from __future__ import annotations

import argparse
import getpass
import sys

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.doctor import check_api
from optimove_analysis.client.environment import sources
from optimove_analysis.client.keys import INSTALL_KEYRING, has_keyring, remove_key, store_key
from optimove_analysis.client.settings import Settings
from optimove_analysis.commands.account import instance_of
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Store the key of an instance, or remove it."""
    if not has_keyring():
        raise InputError(f"this needs the package keyring: {INSTALL_KEYRING}")
    instance = instance_of(options)
    if instance == "sandbox":
        raise InputError("the sandbox needs no key; name the instance that Optimove assigned.")
    if options.leaves:
        url = Settings.of(instance, "any").url  # checks the address; the key is not needed
        was = remove_key(url)
        print(f"The key for {url} {'is removed from' if was else 'was not in'} the keyring.")
        return 0
    key = _asked()
    with OptimoveClient(instance, key) as client:
        url = client.settings.url
        for check in [] if options.no_check else check_api(client.settings, client.quota):
            if check.state == "fails":
                raise OptimoveAnalysisError(
                    f"the key is not stored. {check.found} {check.todo} --no-check stores it "
                    "without trying it."
                )
    store_key(url, key)
    print(f"The key for {url} is stored in the keyring.")
    if (where := sources().get("OPTIMOVE_API_KEY")) is not None:
        print(f"Note: {where} also has an OPTIMOVE_API_KEY, which goes first.", file=sys.stderr)
    return 0


def _asked() -> str:
    # Piped, it is one line: getpass would look for a terminal all the same.
    terminal = sys.stdin.isatty()
    key = getpass.getpass("API key (not shown): ") if terminal else sys.stdin.readline()
    if not key.strip():
        raise InputError("no key was given.")
    return key.strip()
