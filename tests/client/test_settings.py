"""Where the API is and who asks."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from optimove_analysis.client import OptimoveClient, Secret, Settings
from optimove_analysis.client.environment import sources
from optimove_analysis.client.settings import read_environment
from optimove_analysis.errors import InputError, OptimoveAnalysisError

KEY = "k-0123456789-secret"


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep a developer's own account out: environment, .env file and keyring."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPTIMOVE_INSTANCE", raising=False)
    monkeypatch.delenv("OPTIMOVE_API_KEY", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(Kept())
    yield
    keyring.set_keyring(before)


class Kept(KeyringBackend):
    """A keyring that forgets all at the end of a test; ``locked``, it gives nothing."""

    priority = 1.0
    locked = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # keyring has not typed it
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("as it was told")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def of(instance: str = "api5", key: str | None = KEY, **more: Any) -> Settings:
    return Settings.of(instance, key, **more)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("api5", "https://api5.optimove.net"),
        (" API12 ", "https://api12.optimove.net"),
        ("api5.optimove.net", "https://api5.optimove.net"),
        ("https://api5.optimove.net/", "https://api5.optimove.net"),
        ("https://api5.optimove.net/current/", "https://api5.optimove.net"),
        ("https://proxy.example:8443/optimove", "https://proxy.example:8443/optimove"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_instance_is_a_name_or_an_address(given: str, url: str) -> None:
    assert of(given).url == url


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("http://api5.optimove.net", "in clear"),
        ("http://192.168.1.7", "in clear"),
        ("", "not an instance"),
        ("5", "'api5'"),
        ("ftp://api5.optimove.net", "not an instance"),
        ("https://api5.optimove.net?key=1", "not an instance"),
        ("https://api5.optimove.net:port", "not an address"),
        ("https://user:pass@api5.optimove.net", "user name"),
    ],
)
def test_what_is_no_instance_is_refused_with_what_is(given: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        of(given)
    assert "pass@" not in str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        KEY,
        f"https://api5.optimove.net/?key={KEY}",
        f"https://api5.optimove.net/#{KEY}",
        f"https://user:{KEY}@api5.optimove.net:port",
        f"http://api5.optimove.net/{KEY}",
    ],
)
def test_a_credential_in_the_instances_place_is_not_quoted(given: str) -> None:
    with pytest.raises(InputError) as raised:
        of(given, "api5")
    shown = "".join(traceback.format_exception(raised.value))
    assert KEY not in shown


@pytest.mark.parametrize("given", [None, 5, b"api5"])
def test_what_is_no_text_is_no_instance_and_no_key(given: Any) -> None:
    with pytest.raises(InputError, match="must be text"):
        of(given)
    if given is not None:
        with pytest.raises(InputError, match="must be text"):
            of(key=given)


def test_a_dotenv_file_that_is_no_text_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OPTIMOVE_API_KEY=" + KEY.encode() + b"\xe9\n")
    with pytest.raises(InputError, match=r"\.env.*UTF-8") as raised:
        read_environment(tmp_path)
    error: BaseException | None = raised.value
    while error is not None:  # a UnicodeDecodeError carries all the bytes
        assert KEY not in str(vars(error)) + repr(error) + repr(getattr(error, "object", None))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_is_answered_with_what_to_set(key: str | None) -> None:
    with pytest.raises(InputError, match="OPTIMOVE_API_KEY"):
        of(key=key)


@pytest.mark.parametrize("key", ["two\nlines", "kéy", "tab\there"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(InputError) as error:
        of(key=key)
    assert key not in str(error.value)


def test_key_and_token_together_are_refused() -> None:
    with pytest.raises(InputError, match="one of them"):
        of(token="t")  # noqa: S106 - not one


@pytest.mark.parametrize(
    "more", [{"quota": (0, 10.0)}, {"quota": (5, 0)}, {"timeout": 0}, {"threads": 0}]
)
def test_what_must_be_positive_is(more: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="positive"):
        of(**more)


@pytest.mark.parametrize("quota", [50, ("50", 10.0), (2.5, 10.0), (5, "x"), (True, 10.0)])
def test_a_quota_is_a_pair_of_numbers(quota: Any) -> None:
    with pytest.raises(InputError, match=r"quota=.* must be"):
        of(quota=quota)


@pytest.mark.parametrize(
    "more",
    [
        {"quota": (5, float("nan"))},
        {"quota": (5, float("inf"))},
        {"timeout": float("nan")},
        {"threads": 2.5},
        {"timeout": "30"},
    ],
)
def test_a_number_that_is_none_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must be"):
        of(**more)


def test_a_credential_is_never_shown_or_pickled() -> None:
    secret = of().credential
    assert secret.reveal() == KEY
    for shown in (repr(secret), str(secret), f"{secret}", repr(of()), repr([of()])):
        assert KEY not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(of())
    assert copy.deepcopy(secret) == secret == Secret(KEY) != Secret("other")
    assert secret != KEY


def test_the_name_of_the_cache_file_separates_accounts_and_tells_no_secret() -> None:
    mine, other = of().cache_name, of(key="another").cache_name
    assert mine != other
    assert mine != of("api6").cache_name
    assert mine != of(key=None, token=KEY).cache_name
    assert mine == of().cache_name
    assert KEY not in mine
    assert mine.startswith("api5-optimove-net-")


def test_a_named_account_keeps_its_cache_when_the_key_changes() -> None:
    assert of(account="shop").cache_name == of(key="new", account="shop").cache_name
    assert of(account="shop").cache_name != of(account="shop ").cache_name
    assert of(account="shop").cache_name != of("api6", account="shop").cache_name
    assert of(account="shop").quota_name != of(key="new", account="shop").quota_name


def test_a_sandboxs_port_tells_caches_apart_no_more_but_still_quotas() -> None:
    one, two = (of(f"http://127.0.0.1:{port}", "sandbox-0a") for port in (8001, 8002))
    assert one.cache_name == two.cache_name
    assert one.quota_name != two.quota_name
    assert of("https://a.example:1").cache_name != of("https://a.example:2").cache_name


def test_two_sandboxes_share_no_cache_whatever_they_are_called() -> None:
    one, two = (of("http://127.0.0.1:1", f"sandbox-{n}", account="shop") for n in range(2))
    assert one.cache_name != two.cache_name


def test_gateways_on_this_machine_that_hold_the_key_themselves_share_no_cache() -> None:
    one, two = (of(f"http://127.0.0.1:{port}", "unused") for port in (8001, 8002))
    assert one.cache_name != two.cache_name


def test_the_environment_wins_over_the_dotenv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "# ours\nOPTIMOVE_INSTANCE=api5 # the shop's\nexport OPTIMOVE_API_KEY='a # b'\n"
        'OTHER=x\nOPTIMOVE_CACHE="/some where"\nno equals sign\n\n',
        encoding="utf-8",
    )
    for name in ("INSTANCE", "API_KEY", "CACHE", "STATE"):
        monkeypatch.delenv(f"OPTIMOVE_{name}", raising=False)
    assert read_environment(tmp_path) == {
        "OPTIMOVE_INSTANCE": "api5",
        "OPTIMOVE_API_KEY": "a # b",
        "OPTIMOVE_CACHE": "/some where",
    }
    monkeypatch.setenv("OPTIMOVE_INSTANCE", "api7")
    assert read_environment(tmp_path)["OPTIMOVE_INSTANCE"] == "api7"


def test_a_client_from_the_environment_takes_arguments_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPTIMOVE_INSTANCE", "api7")
    monkeypatch.setenv("OPTIMOVE_API_KEY", KEY)
    monkeypatch.setenv("OPTIMOVE_CACHE", str(tmp_path / "kept"))
    with OptimoveClient.from_env() as client:
        assert client.settings.url == "https://api7.optimove.net"
        assert client.settings.credential.reveal() == KEY
        assert client.cache.path.parent == tmp_path / "kept"
    with OptimoveClient.from_env("api8", token="t", cache_dir=tmp_path) as client:  # noqa: S106 - not one
        assert client.settings.url == "https://api8.optimove.net"
        assert client.settings.header == "Authorization-Token"
        assert client.cache.path.parent == tmp_path


def test_an_environment_without_instance_or_key_says_what_to_set() -> None:
    with pytest.raises(InputError, match="OPTIMOVE_INSTANCE"):
        OptimoveClient.from_env()
    with pytest.raises(InputError, match="OPTIMOVE_API_KEY"):
        OptimoveClient.from_env("api5")


def test_a_key_is_the_argument_else_the_environments_else_the_files_else_the_keyrings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(given: str | None = None) -> str:
        return of(key=given).credential.reveal()

    keyring.set_password("optimove-analysis", "api5.optimove.net", "of-the-keyring")
    assert key() == "of-the-keyring"
    with pytest.raises(InputError, match="there is no API key"):
        of("api6", None)  # another instance's key is not sent there
    (tmp_path / ".env").write_text("OPTIMOVE_API_KEY=of-the-file")
    assert key() == "of-the-file"
    assert sources()["OPTIMOVE_API_KEY"] == "the .env file"
    monkeypatch.setenv("OPTIMOVE_API_KEY", "of-the-environment")
    assert key() == "of-the-environment"
    assert sources()["OPTIMOVE_API_KEY"] == "the environment"
    assert key("given") == "given"
    assert of(key=None, token="a-token").credential.reveal() == "a-token"  # noqa: S106 - not one


def test_a_locked_keyring_is_an_error_only_where_it_is_needed() -> None:
    backend = Kept()
    backend.locked = True
    keyring.set_keyring(backend)
    with pytest.raises(OptimoveAnalysisError, match=r"keyring is locked.*OPTIMOVE_API_KEY"):
        of(key=None)
    assert of().credential.reveal() == KEY
    assert not of(key=None, account="shop", offline=True).credential.known


def test_offline_a_named_account_needs_no_key_and_has_the_same_cache() -> None:
    named = of(account="shop")
    assert of(key=None, account="shop", offline=True).cache_name == named.cache_name
    with pytest.raises(InputError, match="there is no API key"):
        of(key=None, offline=True)
    with pytest.raises(InputError, match="there is no API key"):
        of(key=None, account="shop")


@pytest.mark.parametrize(
    "make",
    [
        lambda key: OptimoveClient.from_env("api5", threads=0),  # noqa: ARG005 - the environment has it
        lambda key: OptimoveClient.from_env("api5", key, quota=(0, 1)),
        lambda key: OptimoveClient("http://example.org", key),
        lambda key: OptimoveClient("api5", token=key, account=" "),
        lambda key: OptimoveClient("api5", f"{key}\n\N{EURO SIGN}"),
    ],
)
def test_the_variables_of_a_call_that_fails_hold_no_credential(
    make: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "only-for-this-test"
    monkeypatch.setenv("OPTIMOVE_API_KEY", key)
    with pytest.raises(InputError) as caught:
        make(key)
    frames = list(traceback.walk_tb(caught.value.__traceback__))[2:]  # after this file's own
    assert len(frames) >= 2
    assert all(frame.f_code.co_filename != __file__ for frame, _ in frames)
    shown = [f"{name}={value!r}" for frame, _ in frames for name, value in frame.f_locals.items()]
    assert not [text for text in shown if key in text]


def test_what_a_token_is_renewed_with_is_in_no_variable_either() -> None:
    secret = Secret("a")
    with pytest.raises(InputError) as caught:
        secret.renew("only-for-this-test \N{EURO SIGN}")
    for frame, _ in list(traceback.walk_tb(caught.value.__traceback__))[1:]:
        assert "only-for-this-test" not in repr(frame.f_locals)


def test_a_credential_is_masked_however_a_server_writes_it_back() -> None:
    secret = Secret('k"&/ 1')
    seen = """k"&/ 1 k%22%26%2F%201 k&quot;&amp;/ 1 k\\"&/ 1"""
    assert secret.redact(seen) == "*** *** *** ***"
