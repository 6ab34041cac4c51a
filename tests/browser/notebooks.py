"""What is opened in a browser: notebooks by their names, a list of code cells each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["BAD", "LAB", "PAGES"]

BAD: Final = "<img src=x onerror=\"window.hacked='yes'\">"
"""What would run in a page if it was taken for HTML."""

_CLIENT = "from optimove_analysis import OptimoveClient, forms\nclient = OptimoveClient.sandbox()\n"

LAB: Final[Mapping[str, Sequence[str]]] = {
    "form.ipynb": [f'{_CLIENT}forms.CustomerForm(client, customer_id="000001")'],
    "console.ipynb": [f"{_CLIENT}forms.TryItConsole(client)"],
}

_HOSTILE = f"""
import dataclasses
import polars as pl
{_CLIENT}
BAD = {BAD!r}


class Source:
    "Answers as the client does, with names that somebody has chosen with care."

    def __getattr__(self, name):
        return getattr(client, name)

    def catalogue(self):
        known = client.catalogue()
        names = {{one: f"{{BAD}} {{name}} $x^2$ </style>" for one, name in known.channels.items()}}
        kinds = {{one: known.kind(one) for one in known.channels}}
        return dataclasses.replace(known, channels=names, kinds=kinds)

    def target_groups(self):
        return client.target_groups().with_columns(
            target_group_name=pl.lit(BAD) + pl.col("target_group_name")
        )


source = Source()
"""

PAGES: Final[Mapping[str, Sequence[str]]] = {
    "audience.ipynb": [f'{_CLIENT}forms.AudienceForm(client, start="2025-10-01")'],
    "hostile.ipynb": [
        _HOSTILE,
        'forms.CustomerForm(source, customer_id="000001")',
        'forms.AudienceForm(source, start="2025-10-01")',
        "forms.TryItConsole(source, 'GetAllActions')",
    ],
}
