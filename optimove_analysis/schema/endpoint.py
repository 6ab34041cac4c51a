"""What a function of the API and its parameters are, and how a request of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias
from urllib.parse import quote

from optimove_analysis.errors import InputError
from optimove_analysis.schema.table import Table

__all__ = ["ApiEndpoint", "ApiParameter", "ParameterKind", "ParameterValue"]

ParameterKind: TypeAlias = Literal["text", "day", "number", "flag"]
"""What a parameter's value is, for whoever reads or asks for one."""

ParameterValue: TypeAlias = str | int | date | None
"""What a user may give; days, numbers and flags (True is a whole number) are written as text."""


@dataclass(frozen=True, slots=True)
class ApiParameter:
    """One parameter of a function."""

    name: str
    kind: ParameterKind
    """What its text means: any text, a day as YYYY-MM-DD, a whole number, or True or False."""
    what: str
    """One sentence for the user."""
    example: str
    required: bool = True

    @property
    def title(self) -> str:
        """What a form calls it: whether it is required is said in words."""
        return f"{self.name} ({'required' if self.required else 'optional'})"


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """One function of the API."""

    path: str
    """Beneath ``/current/``."""
    what: str
    """One sentence for the user."""
    parameters: tuple[ApiParameter, ...] = ()
    table: Table | None = None
    """The table that its answers make; None: this package has none for them."""
    constants: tuple[str, ...] = ()
    """Parameters that fill a column of the table, since the answer does not repeat them."""
    one: bool = False
    """Whether it answers with one object, and not with a list of them."""
    assumed: str = ""
    """What no public page says and this package takes for granted; empty: nothing."""
    method: str = "GET"
    name: str = ""
    """The function's name: the path's last part, unless it is given.

    >>> ApiEndpoint("general/GetLastDataUpdate", "How far the data reaches.").name
    'GetLastDataUpdate'
    """

    def __post_init__(self) -> None:
        # It stays where an account has the function at another path.
        object.__setattr__(self, "name", self.name or self.path.rpartition("/")[2])

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the parameters that it cannot do without."""
        return tuple(one.name for one in self.parameters if one.required)

    @property
    def allows(self) -> tuple[str, ...]:
        """The names of those that may be left out."""
        return tuple(one.name for one in self.parameters if not one.required)

    @property
    def example(self) -> dict[str, str]:
        """A request that can be sent: the required parameters, each with its example."""
        return {one.name: one.example for one in self.parameters if one.required}

    def given(self, values: Mapping[str, ParameterValue]) -> dict[str, str]:
        """Return the parameters as a request has them: as text, in the function's order.

        None and empty texts are left out. What a text says is the API's to judge.

        >>> from optimove_analysis.schema import API_ENDPOINTS
        >>> API_ENDPOINTS["GetExecutedCampaignDetails"].given({"Date": date(2018, 8, 20)})
        {'Date': '2018-08-20'}

        Raises:
            InputError: the function has no such parameter, or a value is no text, day or number.
        """
        for name in values:
            if name not in (*self.needs, *self.allows):
                known = [one.name for one in self.parameters]
                raise InputError.option(f"parameter of {self.name}", name, known)
        order = [one.name for one in self.parameters if one.name in values]
        texts = {name: _text(name, values[name]) for name in order}
        return {name: text for name, text in texts.items() if text}

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """Return the required parameters that are not among those given."""
        return [name for name in self.needs if not given.get(name)]

    def url(self, base_url: str, given: Mapping[str, str]) -> str:
        """Return the address of a request.

        >>> from optimove_analysis.schema import API_ENDPOINTS
        >>> found = API_ENDPOINTS["GetChannelTemplates"]
        >>> found.url("https://api5.optimove.net", {"ChannelID": "7"})
        'https://api5.optimove.net/current/integrations/GetChannelTemplates?ChannelID=7'
        """
        pairs = (f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in given.items())
        query = "&".join(pairs)
        return f"{base_url}/current/{self.path}{'?' if query else ''}{query}"


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool | int):
        text = str(value)
    elif isinstance(value, date):
        text = value.isoformat()[:10]
    elif value is None:
        text = ""
    else:
        raise InputError(
            f"{name} is of type {type(value).__name__}; give text, a whole number or a day."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "\0"
    if "\0" in text:  # neither an address nor a command line can hold it
        raise InputError(f"{name} holds a character that cannot be sent; type it again.")
    return text
