"""A request as code, in five languages; in none of it is a credential.

The key is read from the environment variable ``OPTIMOVE_API_KEY`` when the code runs. Parameters
are quoted by each language's own rules, so that no value can be more than a value.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from optimove_analysis.errors import InputError
from optimove_analysis.schema import API_ENDPOINTS, ApiEndpoint, ParameterValue

__all__ = ["LANGUAGES", "snippet"]

_KEY: Final = "OPTIMOVE_API_KEY"
_USUAL: Final = "X-API-KEY"
_HEADER: Final = re.compile(r"[A-Za-z0-9-]+")
_WIDTH: Final = 60
"""Characters of a line: half a notebook's width, where the form shows it."""
_PLANE: Final = 0x10000
_R_SPELLED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class _Request(NamedTuple):
    """What is to be written as code."""

    endpoint: ApiEndpoint
    given: Mapping[str, str]
    base_url: str
    header: str

    @property
    def address(self) -> str:
        return self.endpoint.url(self.base_url, {})


def snippet(
    language: str,
    endpoint: str | ApiEndpoint,
    parameters: Mapping[str, ParameterValue],
    base_url: str,
    header: str = _USUAL,
) -> str:
    r"""Return code that sends a request and prints what comes back.

    >>> asked = {"ChannelID": 7}
    >>> print(snippet("curl", "GetChannelTemplates", asked, "https://api5.optimove.net"))
    printf 'X-API-KEY: %s' "$OPTIMOVE_API_KEY" |
      curl --silent --show-error --fail-with-body --get \
        --header @- \
        --data-urlencode 'ChannelID=7' \
        'https://api5.optimove.net/current/integrations/GetChannelTemplates'

    Args:
        language: one of `LANGUAGES`.
        endpoint: the function's name, or the function.
        parameters: as `OptimoveClient.ask` takes them; some may still be missing.
        base_url: the instance's address.
        header: the name of the header that carries the credential.

    Raises:
        InputError: there is no such language, function, parameter or header, or a value cannot be
            sent.
    """
    if language not in _WRITERS:
        raise InputError.option("language", language, _WRITERS)
    if not _HEADER.fullmatch(header):
        raise InputError(f"header={header!r} is no header's name; X-API-KEY is the usual one.")
    if isinstance(endpoint, str):
        if endpoint not in API_ENDPOINTS:
            raise InputError.option("endpoint", endpoint, API_ENDPOINTS)
        endpoint = API_ENDPOINTS[endpoint]
    asked = _Request(endpoint, endpoint.given(parameters), base_url.rstrip("/"), header)
    return _WRITERS[language](asked)


def _package(asked: _Request) -> str:
    plain = {name: text for name, text in asked.given.items() if name.isidentifier()}
    odd = {name: text for name, text in asked.given.items() if name not in plain}
    given = [f"{name}={_py(text)}" for name, text in plain.items()]
    if odd:  # a name with a $ is no Python name
        given.append(_call("**{", [f"{_py(name)}: {_py(text)}" for name, text in odd.items()], "}"))
    call = _call("    reply = client.ask(", [_py(asked.endpoint.name), *given], ")")
    has_token = asked.header != _USUAL
    options = [f'token=os.environ["{_KEY}"]'] if has_token else []
    usual = API_ENDPOINTS.get(asked.endpoint.name)
    if usual is not None and usual.path != asked.endpoint.path:
        options.append(f"engagement_metrics_path={_py(asked.endpoint.path)}")
    made = _call("with OptimoveClient(", [_py(asked.base_url), *options], ") as client:")
    table = "json" if asked.endpoint.table is None else "frame"
    return "\n".join(
        [
            *(["import os", ""] if has_token else []),
            "from optimove_analysis import OptimoveClient",
            "",
            *([] if has_token else [f"# The key is read from the environment: {_KEY}."]),
            made,
            call,
            f"print(reply.{table}() if reply.ok else reply.problem)",
        ]
    )


def _requests(asked: _Request) -> str:
    pairs = [f"{_py(name)}: {_py(text)}" for name, text in asked.given.items()]
    params = [_call("    params={", pairs, "},")] if pairs else []
    lines = [
        "import os",
        "",
        "import requests",
        "",
        "response = requests.get(",
        f"    {_py(asked.address)},",
        *params,
        f'    headers={{{_py(asked.header)}: os.environ["{_KEY}"]}},',
        "    timeout=30,",
        "    allow_redirects=False,  # a redirect would take the key along",
        ")",
        "if not response.ok:",
        '    raise SystemExit(f"{response.status_code} {response.text}")',
        "print(response.json())",
    ]
    return "\n".join(lines)


def _curl(asked: _Request) -> str:
    data = "".join(f"    {_curl_data(*pair)} \\\n" for pair in asked.given.items())
    # By way of a pipe: what stands in a command, all users of the machine can list.
    return (
        f"printf '{asked.header}: %s' \"${_KEY}\" |\n"
        f"  curl --silent --show-error --fail-with-body --get \\\n    --header @- \\\n{data}"
        f"    {_sh(asked.address)}"
    )


def _curl_data(name: str, text: str) -> str:
    # curl takes the name as it is and encodes the text. What cannot be seen in a shell's quotes,
    # a line's end or a mark that turns the direction of writing, is encoded here.
    begin = quote(name, safe="")
    if text.isprintable():
        return f"--data-urlencode {_sh(f'{begin}={text}')}"
    encoded = quote(text, safe="")
    return f"--data {_sh(f'{begin}={encoded}')}"


def _sh(text: str) -> str:
    # shlex.quote leaves off the quotes where it can; with them all lines look alike.
    quoted = shlex.quote(text)
    return quoted if quoted.startswith("'") else f"'{text}'"


def _javascript(asked: _Request) -> str:
    pairs = [f"{_js(name)}: {_js(text)}" for name, text in asked.given.items()]
    query = [_call("url.search = new URLSearchParams({", pairs, "});")] if pairs else []
    lines = [
        "// Node 18 or newer, as a module (.mjs). In a page, its visitors would see the key.",
        f"const url = new URL({_js(asked.address)});",
        *query,
        "const response = await fetch(url, {",
        f"  headers: {{ {_js(asked.header)}: process.env.{_KEY} }},",
        '  redirect: "error", // a redirect would take the key along',
        "});",
        "if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);",
        "console.log(JSON.stringify(await response.json(), null, 2));",
    ]
    return "\n".join(lines)


def _httr2(asked: _Request) -> str:
    pairs = [f"`{name}` = {_r(text)}" for name, text in asked.given.items()]
    query = [_call("  req_url_query(", pairs, ") |>", last="")] if pairs else []
    sent = [f'`{asked.header}` = Sys.getenv("{_KEY}")', f'.redact = "{asked.header}"']
    lines = [
        "library(httr2)",
        "",
        f"response <- request({_r(asked.address)}) |>",
        *query,
        _call("  req_headers(", sent, ") |>", last=""),
        "  # A redirect would take the key along.",
        "  req_options(followlocation = FALSE) |>",
        "  req_timeout(30) |>",
        "  req_perform()",
        "str(resp_body_json(response))",
    ]
    return "\n".join(lines)


def _call(begin: str, items: list[str], end: str, *, last: str = ",") -> str:
    """Return a call on one line if it is short, else with an argument a line.

    Args:
        begin: what stands before the arguments, with its indent.
        items: the arguments.
        end: what stands after them.
        last: what follows the last argument on a line of its own.
    """
    whole = f"{begin}{', '.join(items)}{end}"
    if len(whole) <= _WIDTH:
        return whole
    outer = begin[: len(begin) - len(begin.lstrip())]
    step = "  " if end.endswith(("|>", ";")) else "    "  # as is usual in R and JavaScript
    # An argument may itself have several lines.
    inner = [f"{outer}{step}{item}".replace("\n", f"\n{outer}{step}") for item in items]
    return f"{begin}\n" + ",\n".join(inner) + f"{last}\n{outer}{end}"


def _py(text: str) -> str:
    if '"' in text:
        return repr(text)
    # With a ' in it, repr takes double quotes, as this package's code does.
    return '"' + repr(f"'{text}")[2:]


def _js(text: str) -> str:
    # Letters of any script stay readable; what is not seen, and what could end a script's element
    # in a page, is spelled out.
    quoted = json.dumps(text, ensure_ascii=False).replace("</", "<\\/")
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in quoted)


def _r(text: str) -> str:
    def spelled(one: str) -> str:
        if one in _R_SPELLED:
            return _R_SPELLED[one]
        if one.isprintable():
            return one
        return f"\\u{{{ord(one):x}}}" if ord(one) < _PLANE else f"\\U{{{ord(one):x}}}"

    return '"' + "".join(map(spelled, text)) + '"'


_WRITERS: Final[Mapping[str, Callable[[_Request], str]]] = {
    "Python, this package": _package,
    "Python, requests": _requests,
    "curl": _curl,
    "JavaScript, fetch": _javascript,
    "R, httr2": _httr2,
}

LANGUAGES: Final = tuple(_WRITERS)
"""The languages that a request can be written in."""
