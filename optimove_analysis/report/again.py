"""The one command that makes a report again, and its values as a shell hands them on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["command", "from_text", "named", "to_text"]

_FILES: Final = ("snapshot", "catalogue")
"""Parameters that are files. A report tells their names alone: a folder is of one machine, and its
name may say whom the report is of."""
_DAYS: Final = {"start": "--from", "end": "--to"}
_PLAIN: Final = {"None": None, "True": True, "False": False}
"""As ``report --list`` shows values; JSON spells them otherwise."""


def command(template: str, snapshot: Path, path: Path, parameters: Mapping[str, Any]) -> str:
    """Return the one command that makes a report again, where its files lie in one folder.

    >>> command("channel-strategy", Path("a/study.oma"), Path("b/r.html"),
    ...         {"start": "2025-01-01", "window": None, "title": "Q4 plan"})
    "optimove-analysis report --template channel-strategy --snapshot study.oma --out r.html
     --from 2025-01-01 --set window=null --set 'title=Q4 plan'"
    """
    words = ["optimove-analysis", "report", "--template", _file(template)]
    words += ["--snapshot", _file(snapshot.name), "--out", _file(path.name)]
    for one, value in named(parameters).items():
        if one not in _DAYS:
            words += ["--set", f"{one}={to_text(value)}"]
        elif value is not None:
            words += [_DAYS[one], str(value)]
    return shlex.join(words)


def named(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the names of files in place of their paths.

    >>> named({"catalogue": "/studies/names.json", "window": 7})
    {'catalogue': 'names.json', 'window': 7}
    """
    return {
        one: Path(value).name if one in _FILES and isinstance(value, str) else value
        for one, value in parameters.items()
    }


def from_text(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the value that a text stands for: JSON, or the text itself where it is none.

    >>> [from_text(text) for text in ("14", "null", "None", '["000010"]', "ignore", "000010")]
    [14, None, None, ['000010'], 'ignore', '000010']
    """
    if text in _PLAIN:
        return _PLAIN[text]
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def to_text(value: Any) -> str:  # noqa: ANN401 - JSON is anything
    r"""Return the text that `from_text` reads as this value, in one printable line.

    >>> print(to_text("Q4 plan"), to_text("7"), to_text("one\ntwo"), to_text([1, "é"]))
    Q4 plan "7" "one\ntwo" [1, "é"]
    """
    if isinstance(value, str) and value.isprintable() and from_text(value) is value:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def _file(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name  # it would be read as an option


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN is no JSON, and a text here
