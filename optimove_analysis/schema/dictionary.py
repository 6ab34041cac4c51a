"""The data dictionary as Markdown, for ``data/README.md``."""

from __future__ import annotations

from optimove_analysis.schema import (
    EVENT_IDS,
    KIND_STAGES,
    TABLES,
    TEST_ENVIRONMENT_CHANNELS,
    Table,
)

__all__ = ["columns", "dictionary"]

_HEAD = """\
# Data

<!-- Written from optimove_analysis/schema by `make dictionary`; change it there. -->

- `samples/`: answers of the API as the sandbox gives them, one file an endpoint and case, named
  for the function, the case and the seed of the invented world. `documented-sample` is the answer
  that Optimove's own documentation shows.
- `interactions.parquet`: a year of interactions of {customers} invented customers, in the schema of
  the `interactions` table below, for who wants to read and count without a server:
  `pl.read_parquet("data/interactions.parquet")`.
- `pictures/`: the funnel and the channel mix of those customers, and the journey of one, as the
  charts draw them.

All of it is made by `make samples`; no real person is in it.

# Data dictionary

Every table, in the way of the data. A column is spelled once, in `optimove_analysis/schema`;
types are polars'.
"""

CUSTOMERS_IN_SAMPLE = 200
"""How many customers ``data/interactions.parquet`` holds."""


def dictionary() -> str:
    """Return the data dictionary.

    >>> dictionary().splitlines()[0]
    '# Data'
    """
    parts = [_HEAD.format(customers=CUSTOMERS_IN_SAMPLE)]
    parts += [_table(table) for table in TABLES]
    parts.append(_known())
    return "\n".join(parts)


def columns(table: Table) -> str:
    """Return a table's columns, in order, as a Markdown table."""
    lines = [
        "| column | type | what | null means | API field |",
        "| --- | --- | --- | --- | --- |",
    ]
    for column in table.columns:
        api = f"`{column.api}`" if column.api else ""
        dtype = str(column.dtype).replace("|", "\\|")
        what = column.what + (" May be absent." if column.optional else "")
        lines.append(f"| `{column.name}` | {dtype} | {what} | {column.nulls or 'never'} | {api} |")
    return "\n".join([*lines, ""])


def _table(table: Table) -> str:
    return "\n".join([f"## {table.name.capitalize()}", "", table.grain, "", columns(table)])


def _known() -> str:
    lines = [
        "## Known ids",
        "",
        "Event ids are this package's own: no public page of Optimove's lists them.",
        "Give your account's as a `Catalogue`.",
        "",
        "| event id | meaning |",
        "| --- | --- |",
        *(f"| {i} | {meaning.replace('_', ' ')} |" for i, meaning in EVENT_IDS.items()),
        "",
        "Channel ids belong to an account; these are those of Optimove's own test environment.",
        "",
        "| channel id | name | stages |",
        "| --- | --- | --- |",
        *(
            f"| {i} | {name} | {', '.join(KIND_STAGES[kind])} |"
            for i, (name, kind) in TEST_ENVIRONMENT_CHANNELS.items()
        ),
        "",
    ]
    return "\n".join(lines)
