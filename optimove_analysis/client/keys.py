"""Where the API key is found when it is not given: the environment, ``.env``, or the keyring.

The keyring is the system's own store of passwords (Keychain, Credential Locker, Secret Service),
by way of the package keyring, an extra: ``pip install 'optimove-analysis[keyring]'``. A key lies
there under the service ``optimove-analysis``, with the instance's host as the user name.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final
from urllib.parse import urlsplit

from optimove_analysis.client.environment import read_environment, sources
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = [
    "INSTALL_KEYRING",
    "SERVICE",
    "FoundKey",
    "find_key",
    "has_keyring",
    "remove_key",
    "store_key",
    "user_name",
]

SERVICE: Final = "optimove-analysis"
"""What keys are stored under in the keyring."""
INSTALL_KEYRING: Final = "pip install 'optimove-analysis[keyring]'"
_NAME: Final = "OPTIMOVE_API_KEY"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that was found, and where, in words."""

    value: str = field(repr=False)
    source: str


def find_key(url: str, *, keyring: bool = True) -> FoundKey | None:
    """Return the key for an instance: of the environment, else ``.env``, else the keyring.

    Args:
        url: the instance's address.
        keyring: whether to look into the keyring, which may ask the user to unlock it.

    Raises:
        InputError: the ``.env`` file is no text.
        OptimoveAnalysisError: the keyring is locked or fails.
    """
    value = read_environment().get(_NAME, "")
    if value.strip():
        return FoundKey(value, sources()[_NAME])
    kept = _kept_key(url) if keyring and has_keyring() else None
    return FoundKey(kept, "the keyring") if kept else None


def has_keyring() -> bool:
    """Tell whether the package keyring is installed; it is not imported for that."""
    try:
        return importlib.util.find_spec("keyring") is not None
    except ValueError:  # something has put None in its place
        return False


def user_name(url: str) -> str:
    """Return the user name that an instance's key has in the keyring: its host, and port if any.

    >>> user_name("https://api5.optimove.net"), user_name("http://127.0.0.1:8080")
    ('api5.optimove.net', '127.0.0.1:8080')
    """
    return urlsplit(url).netloc


def store_key(url: str, key: str) -> None:
    """Store the key of an instance in the keyring, in the place of an older one.

    Raises:
        InputError: keyring is not installed, or has no place to store anything.
        OptimoveAnalysisError: it is locked or fails.
    """
    keyring = _installed()
    problem = ""
    try:
        keyring.set_password(SERVICE, user_name(url), key)
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        problem = _problem(error).replace(key, "***")
    if problem:  # outside the handler: the error's frames hold the key
        raise OptimoveAnalysisError(f"the key is not stored: {problem}")


def remove_key(url: str) -> bool:
    """Remove the key of an instance from the keyring; return whether there was one.

    Raises:
        InputError: keyring is not installed.
        OptimoveAnalysisError: it is locked or fails.
    """
    keyring = _installed()
    if _kept_key(url) is None:
        return False
    try:
        keyring.delete_password(SERVICE, user_name(url))
    except Exception as error:
        raise OptimoveAnalysisError(f"the key is not removed: {_problem(error)}") from error
    return True


def _kept_key(url: str) -> str | None:
    keyring = importlib.import_module("keyring")
    try:
        kept = keyring.get_password(SERVICE, user_name(url))
    except Exception as error:
        if _has_no_backend(error):  # a server without a desktop: there is no keyring to speak of
            return None
        raise OptimoveAnalysisError(
            f"no key was given, and it cannot be read from the keyring: {_problem(error)} "
            f"{_NAME} in the environment goes before the keyring."
        ) from error
    return kept if isinstance(kept, str) and kept.strip() else None


def _installed() -> ModuleType:
    if not has_keyring():
        raise InputError(
            f"the package keyring is not installed: {INSTALL_KEYRING}; or set {_NAME} in the "
            "environment or in a .env file."
        )
    return importlib.import_module("keyring")


def _problem(error: Exception) -> str:
    if _has_no_backend(error):
        return (
            "this machine has no keyring that the package keyring can use (a desktop has one). "
            f"Set {_NAME} in the environment or in a .env file."
        )
    errors = importlib.import_module("keyring.errors")
    if isinstance(error, errors.KeyringLocked):
        return "the keyring is locked; unlock it and try again."
    return f"the keyring fails ({type(error).__name__}: {str(error).strip() or 'no reason given'})."


def _has_no_backend(error: Exception) -> bool:
    return isinstance(error, importlib.import_module("keyring.errors").NoKeyringError)
