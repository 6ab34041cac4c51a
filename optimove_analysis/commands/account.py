"""The account that options and environment name."""

from __future__ import annotations

import argparse
from typing import Any

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.environment import cache_folder, read_environment
from optimove_analysis.client.settings import Settings
from optimove_analysis.errors import InputError

__all__ = ["instance_of", "open_client", "settings_of"]


def open_client(options: argparse.Namespace, **more: Any) -> OptimoveClient:  # noqa: ANN401 - of OptimoveClient
    """Return a client of the account; ``sandbox`` starts one.

    Raises:
        InputError: an instance or a key is not named, or an option cannot be used.
    """
    given = {"quota": getattr(options, "quota", None), "threads": getattr(options, "threads", None)}
    more |= {name: value for name, value in given.items() if value is not None}
    return OptimoveClient.from_env(
        instance_of(options), account=options.account, cache_dir=options.cache_dir, **more
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the account's settings; nothing is started or opened.

    Raises:
        InputError: as for `open_client`.
    """
    instance, key = instance_of(options), None
    if instance == "sandbox":
        from optimove_analysis.sandbox import Sandbox  # noqa: PLC0415 - for who uses it alone

        # Which port it will have does not matter: its cache goes by its key, and that by its world.
        instance, key = "http://127.0.0.1", Sandbox().api_key
    return Settings.of(
        instance,
        key,
        account=options.account,
        cache_dir=cache_folder(options.cache_dir),
        # A named account's file is known without a key.
        offline=options.account is not None,
    )


def instance_of(options: argparse.Namespace) -> str:
    """Return the instance that is named.

    Raises:
        InputError: none is.
    """
    instance = options.instance or read_environment().get("OPTIMOVE_INSTANCE")
    if not instance:
        raise InputError(
            "no instance is named: give --instance api5, or set OPTIMOVE_INSTANCE in the "
            "environment or in a .env file in the working folder; --instance sandbox is invented "
            "data on this machine."
        )
    return "sandbox" if instance.strip().lower() == "sandbox" else instance
