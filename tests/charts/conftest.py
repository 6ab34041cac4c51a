"""What all tests of charts rest on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from altair.utils import schemapi


@pytest.fixture(autouse=True, scope="module")
def check_specs_once() -> Iterator[None]:
    """Leave out Altair's check of every part at its making: it is most of the time of a test.

    The whole is still checked, by `to_dict` and by whatever saves it.
    """
    with schemapi.debug_mode(False):
        yield
