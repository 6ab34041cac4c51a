"""What a report shows of the words of a command: no credential, and no customer by the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.client.environment import read_environment
from optimove_analysis.client.pseudonyms import Pseudonyms, Rewriter, new_pseudonym_key
from optimove_analysis.errors import InputError

__all__ = ["refuse_ids_in", "refuse_keys_in", "texts_of"]


def texts_of(catalogue: Path | None) -> list[str]:
    """Return the texts of a catalogue that a report shows.

    Raises:
        InputError: it cannot be read, or is none.
    """
    if catalogue is None:
        return []
    try:
        return [*Catalogue.load(catalogue).channels.values(), catalogue.name, catalogue.stem]
    except OSError as error:
        raise InputError(f"{catalogue} cannot be read: {error.strerror}.") from error


def refuse_keys_in(texts: Mapping[str, object]) -> None:
    """Raise if a text holds a credential.

    Raises:
        InputError: one does; it is not quoted.
    """
    known = read_environment()
    for setting in ("OPTIMOVE_API_KEY", "OPTIMOVE_PSEUDONYM_KEY"):
        for name, value in texts.items():
            if known.get(setting) and any(known[setting] in text for text in _texts(value)):
                raise InputError(f"{name} holds the value of {setting}, which no report may show.")


def refuse_ids_in(texts: Mapping[str, object], ids: Sequence[str]) -> None:
    """Raise if a text holds a customer's id.

    What counts as one is as in a snapshot: a text that is equal to it and, within a text, a whole
    word of 5 characters or more. A number is one in a list alone: else it is a window, or a
    template. Pseudonyms may be told.

    Raises:
        InputError: one does.
    """
    pseudonyms = Pseudonyms(new_pseudonym_key())
    real = pseudonyms.asked(ids)
    hidden = Rewriter(pseudonyms, {one for new, one in real.items() if new != one})
    for name, value in texts.items():
        if any(hidden.text(text) != text for text in _texts(value)):
            raise InputError(
                f"{name} holds a customer's id, and would stand in a report that is to have none."
            )


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in a value, and the numbers in its lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from [str(one)] if isinstance(one, int) else _texts(one)
