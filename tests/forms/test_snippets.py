"""Generated code: run for real against the sandbox, with values that try to be more than values."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from optimove_analysis import OptimoveClient
from optimove_analysis.errors import InputError
from optimove_analysis.forms.snippets import LANGUAGES, snippet
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import API_ENDPOINTS

SAMPLE: dict[str, Any] = {
    "CustomerID": "841231",
    "StartDate": "2018-08-19",
    "EndDate": "2018-09-19",
}
INTERACTIONS = "GetCustomerChannelInteractions"
URL = "https://api5.optimove.net"

HOSTILE = [
    "O'Brien",
    "say \"hi\" and 'ho'",
    "$(touch pwned) `touch pwned` ${HOME} $HOME !! ~ *",
    "a\nb\r\nc\td",
    "50% %41 %s %n &x=1#f +?;|",
    "Zoë 客户 😀 \u202eabc \u2028 \u00a0 \U000e0041",
    "back\\slash \\n \\' \\\" \\",
    "{x} [1-3] {a,b} #{x} {{y}}",
    "@/etc/hostname",
    "-H x: y",
    "</script><script>alert(1)</script> ${1} `${2}`",
    "'; touch pwned; '",
    '"); import os; os.system("touch pwned"); ("',
    "=@pwned",
]
ALL_IN_ONE = " | ".join(HOSTILE)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(quota=100_000) as running:
        yield running


@pytest.fixture
def client(box: Sandbox, tmp_path: Path) -> Iterator[OptimoveClient]:
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path / "mine") as one:
        yield one


class Ran(NamedTuple):
    """What code did that was run."""

    returncode: int
    stdout: str
    stderr: str


def commands(language: str, folder: Path) -> list[str]:
    """Return the command that runs a file of a language; skip where there is none."""
    name, command = {
        "Python, this package": ("ask.py", [sys.executable]),
        "Python, requests": ("ask.py", [sys.executable]),
        "curl": ("ask.sh", ["bash"]),
        "JavaScript, fetch": ("ask.mjs", ["node"]),
        "R, httr2": ("ask.R", ["Rscript"]),
    }[language]
    needed = ["bash", "curl"] if language == "curl" else command
    for one in needed:
        if shutil.which(one) is None:
            pytest.skip(f"{one} is not on this machine: the code in {language} is not run")
    return [*command, str(folder / name)]


def run(box: Sandbox, folder: Path, language: str, code: str) -> Ran:
    """Run code in a folder of its own, with the key in the environment."""
    command = commands(language, folder)
    Path(command[-1]).write_text(code, encoding="utf-8")
    own = {"OPTIMOVE_API_KEY": box.api_key, "OPTIMOVE_CACHE": str(folder / "cache")}
    ran = subprocess.run(
        command,
        env={**os.environ, **own, "PYTHONUTF8": "1", "POLARS_FMT_STR_LEN": "1000"},
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())  # line ends as they came


def parsed(language: str, said: str) -> Any:
    return ast.literal_eval(said) if language == "Python, requests" else json.loads(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_brings_what_the_client_brings(
    box: Sandbox, client: OptimoveClient, tmp_path: Path, language: str
) -> None:
    reply = client.ask(INTERACTIONS, **SAMPLE)
    ran = run(box, tmp_path, language, snippet(language, INTERACTIONS, SAMPLE, box.url))
    assert (ran.returncode, ran.stderr) == (0, "")
    if language == "Python, this package":
        assert ran.stdout.strip() == str(reply.frame())
    elif language == "R, httr2":
        assert "CampaignID" in ran.stdout
    else:
        assert parsed(language, ran.stdout) == reply.json()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_with_a_dollar_and_a_function_without_parameters_work_too(
    box: Sandbox, client: OptimoveClient, tmp_path: Path, language: str
) -> None:
    asked: dict[str, Any] = {"CampaignID": 11285, "$top": 2, "$skip": 1}
    name = "GetCustomerSendDetailsByCampaign"
    ran = run(box, tmp_path, language, snippet(language, name, asked, box.url))
    assert (ran.returncode, ran.stderr) == (0, "")
    reply = client.ask(name, **asked)
    assert len(reply.json()) == 2
    if language == "Python, this package":
        assert ran.stdout.strip() == str(reply.frame())
    elif language != "R, httr2":
        assert parsed(language, ran.stdout) == reply.json()

    ran = run(box, tmp_path, language, snippet(language, "GetActionName", {"ActionID": 2}, box.url))
    assert "No function at" in ran.stdout + ran.stderr

    ran = run(box, tmp_path, language, snippet(language, "GetTargetGroupDetails", {}, box.url))
    assert "Dormant" in ran.stdout


@pytest.mark.parametrize("text", [*HOSTILE, ALL_IN_ONE])
@pytest.mark.parametrize("language", ["curl", "JavaScript, fetch"])
def test_a_hostile_value_arrives_as_it_was_typed(
    box: Sandbox, client: OptimoveClient, tmp_path: Path, language: str, text: str
) -> None:
    """The sandbox quotes a day that it cannot read, so that what arrived is seen."""
    asked: dict[str, Any] = {**SAMPLE, "EndDate": text}
    said = client.ask(INTERACTIONS, **asked).text
    assert said == f"Parameter EndDate={text!r} cannot be read: give it as YYYY-MM-DD."
    ran = run(box, tmp_path, language, snippet(language, INTERACTIONS, asked, box.url))
    assert said in ran.stdout + ran.stderr
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_with_a_hostile_id_is_asked_for_as_typed(
    box: Sandbox, client: OptimoveClient, tmp_path: Path, language: str
) -> None:
    asked: dict[str, Any] = {**SAMPLE, "CustomerID": ALL_IN_ONE}
    ran = run(box, tmp_path, language, snippet(language, INTERACTIONS, asked, box.url))
    assert (ran.returncode, ran.stderr) == (0, "")
    reply = client.ask(INTERACTIONS, **asked)
    assert reply.json() == []
    assert not (tmp_path / "pwned").exists()
    asked["StartDate"] = ALL_IN_ONE
    ran = run(box, tmp_path, language, snippet(language, INTERACTIONS, asked, box.url))
    reply = client.ask(INTERACTIONS, **asked)
    wanted = reply.problem if language == "Python, this package" else reply.text
    assert wanted in ran.stdout + ran.stderr
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("text", [*HOSTILE, ALL_IN_ONE])
def test_in_python_a_value_is_one_literal(text: str) -> None:
    """Read by Python's own parser; the two are run with all values at once."""
    asked = {**SAMPLE, "CustomerID": text}
    for language in LANGUAGES[:2]:
        tree = ast.parse(snippet(language, INTERACTIONS, asked, URL))
        literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert literals.count(text) == 1
        calls = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
        assert not [call for call in calls if call.startswith("os.")]


@pytest.mark.parametrize("text", [*HOSTILE, ALL_IN_ONE])
def test_in_r_a_value_is_one_literal(text: str) -> None:
    """Read by the rules of R's own manual, ?Quotes, since R is not on every machine."""
    code = snippet("R, httr2", INTERACTIONS, {**SAMPLE, "CustomerID": text}, URL)
    (line,) = [line for line in code.splitlines() if line.startswith("    `CustomerID` = ")]
    literal = line.removeprefix("    `CustomerID` = ").removesuffix(",")
    assert literal[0] == literal[-1] == '"'
    assert _as_r_reads(literal[1:-1]) == text


def _as_r_reads(inside: str) -> str:
    """Undo R's escapes; fail at a quote that would end the text, and at an escape R lacks."""
    found, rest = "", inside
    while rest:
        one, rest = rest[0], rest[1:]
        assert one != '"', "the text ends here"
        if one != "\\":
            found += one
            continue
        one, rest = rest[0], rest[1:]
        if one in "uU":
            digits, _, rest = rest.removeprefix("{").partition("}")
            assert len(digits) <= {"u": 4, "U": 8}[one]
            found += chr(int(digits, 16))
        else:
            found += {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}[one]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_code_has_a_mark_that_is_not_seen(language: str) -> None:
    """One that turns the direction of writing shows other code than the one that runs."""
    code = snippet(language, INTERACTIONS, {**SAMPLE, "CustomerID": ALL_IN_ONE}, URL)
    assert [one for one in code if not one.isprintable() and one != "\n"] == []


@pytest.mark.parametrize("header", ["X-API-KEY", "Authorization-Token"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_key_is_read_when_the_code_runs_and_is_never_in_it(
    monkeypatch: pytest.MonkeyPatch, language: str, header: str
) -> None:
    key = "open sesame, a key of 32 letters"
    monkeypatch.setenv("OPTIMOVE_API_KEY", key)
    for endpoint in API_ENDPOINTS.values():
        code = snippet(language, endpoint, endpoint.example, URL, header)
        assert key not in code
        assert "OPTIMOVE_API_KEY" in code
        assert code.isascii()


def test_a_key_does_not_stand_in_a_command_that_others_can_list() -> None:
    code = snippet("curl", INTERACTIONS, SAMPLE, URL)
    command = code[code.index("curl ") :]
    assert "OPTIMOVE_API_KEY" not in command


def test_a_logins_token_goes_in_its_own_header(box: Sandbox, tmp_path: Path) -> None:
    for language in ("curl", "Python, this package"):
        code = snippet(language, "GetLastDataUpdate", {}, box.url, "Authorization-Token")
        ran = run(box, tmp_path, language, code)  # the sandbox takes no key for a token
        assert "X-API-KEY is missing or its key is wrong" in ran.stdout


def test_a_path_of_ones_own_is_in_the_code(box: Sandbox, tmp_path: Path) -> None:
    with OptimoveClient(
        box.url, box.api_key, cache_dir=tmp_path / "x", engagement_metrics_path="customers/Other"
    ) as client:
        endpoint = client.endpoints["GetCampaignEngagementMetrics"]
    for language in ("Python, this package", "curl"):
        ran = run(box, tmp_path, language, snippet(language, endpoint, SAMPLE, box.url))
        assert "/current/customers/Other" in ran.stdout


def test_what_cannot_be_written_is_answered_with_what_can() -> None:
    with pytest.raises(InputError, match="did you mean 'curl'"):
        snippet("kurl", INTERACTIONS, SAMPLE, URL)
    with pytest.raises(InputError, match="did you mean 'GetAllActions'"):
        snippet("curl", "GetAllAction", {}, URL)
    with pytest.raises(InputError, match="did you mean 'CustomerID'"):
        snippet("curl", INTERACTIONS, {"Customer": "1"}, URL)
    with pytest.raises(InputError, match="cannot be sent"):
        snippet("curl", INTERACTIONS, {"CustomerID": "a\0b"}, URL)
    with pytest.raises(InputError, match="no header's name"):
        snippet("curl", INTERACTIONS, SAMPLE, URL, "X: %s'")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_still_missing_is_left_out(language: str) -> None:
    code = snippet(language, INTERACTIONS, {"CustomerID": "7", "EndDate": ""}, URL)
    assert "EndDate" not in code
    assert "CustomerID" in code
