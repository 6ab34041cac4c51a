"""Retries, judgements and credentials, over real HTTP; only waits are simulated."""

from __future__ import annotations

import logging
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from optimove_analysis.client import Cache, OptimoveClient, Quota, Settings
from optimove_analysis.client.session import Session
from optimove_analysis.client.transport import connect
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    InputError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
)
from optimove_analysis.sandbox import Sandbox, sandbox

PATH = "actions/GetExecutionChannels"
FUNCTION = "GetExecutionChannels"
DAY = timedelta(days=1)
HTML = b"<html><title>Sign in to the company proxy</title></html>"


class Waits:
    """Waits without waiting, and remembers for how long."""

    def __init__(self) -> None:
        self.now = 0.0
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds


MakeSession = Callable[..., Session]


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def make_session(box: Sandbox, tmp_path: Path, waits: Waits) -> Iterator[MakeSession]:
    made: list[Session] = []

    def make(url: str | None = None, key: str | None = None, timeout: float = 5.0) -> Session:
        settings = Settings.of(
            url or box.url, key or box.api_key, cache_dir=tmp_path, timeout=timeout
        )
        quota = Quota(1_000, 10.0, clock=lambda: waits.now, sleep=waits)
        cache = Cache(settings.cache_dir / settings.cache_name)
        session = Session(settings, quota, cache, sleep=waits, chance=lambda: 1.0)
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()


def test_an_answer_comes_from_the_api_once_and_then_from_the_cache(
    box: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()
    new, kept = (session.get(PATH, {}, lifetime=DAY) for _ in range(2))
    assert (new.from_cache, kept.from_cache) == (False, True)
    assert kept.body == new.body
    assert kept.fetched_at == new.fetched_at
    assert box.count() == 1


@pytest.mark.parametrize(
    "trouble",
    [
        lambda box: box.answer(FUNCTION, status=503, body=b"busy", times=2),
        lambda box: box.answer(FUNCTION, status=500, body=b"", times=2),
        lambda box: box.drop(FUNCTION, times=2),
        lambda box: box.drop(FUNCTION, times=2, begun=b'[{"Chan'),
        lambda box: box.answer(FUNCTION, body=b'[{"ChannelID":50', times=2),
        lambda box: box.answer(FUNCTION, status=429, times=2),
    ],
    ids=["503", "500", "dropped", "dropped half way", "cut JSON", "429"],
)
def test_what_passes_is_waited_out(
    trouble: Callable[[Sandbox], None], box: Sandbox, make_session: MakeSession, waits: Waits
) -> None:
    trouble(box)
    answer = make_session().get(PATH, {}, lifetime=DAY)
    assert answer.body.startswith(b"[{")
    assert box.count() == 3
    first, second = [wait for wait in waits.taken if wait > 0]
    assert second == 2 * first


def test_retry_after_is_honoured_by_every_thread_of_the_key(
    box: Sandbox, make_session: MakeSession, waits: Waits
) -> None:
    box.answer(FUNCTION, status=429, headers={"Retry-After": "7"})
    session = make_session()
    session.get(PATH, {}, lifetime=DAY)
    assert waits.taken == [7.0]
    box.answer(FUNCTION, status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    session.fetch(PATH, {})
    assert waits.taken == [7.0, 0.0]


def test_a_server_that_asks_for_too_long_a_wait_is_quoted_instead(
    box: Sandbox, make_session: MakeSession, waits: Waits
) -> None:
    box.answer(FUNCTION, status=429, body=b"tomorrow", headers={"Retry-After": "86400"})
    with pytest.raises(QuotaError, match="tomorrow"):
        make_session().get(PATH, {}, lifetime=DAY)
    assert waits.taken == []


@pytest.mark.parametrize(
    ("status", "body", "error", "says", "sent"),
    [
        (429, b"slow down", QuotaError, "same key.*slow down", 5),
        (500, b"broken", ApiError, "500.*broken", 5),
        (200, b'[{"Chan', ResponseError, "cut short", 5),
        (200, HTML, ResponseError, "not JSON.*company proxy.*login page", 1),
        (200, b"", ResponseError, "an empty body", 1),
        (200, b"[NaN]", ResponseError, "NaN", 5),
        (200, b'[{"a": 1, "a": 2}]', ResponseError, "more than once", 5),
        (200, b"[" * 100_000, ResponseError, "nested", 5),
        (200, b'{"ChannelID": 1}', ResponseError, "a list of objects", 1),
        (200, b"[1, 2]", ResponseError, "a list of objects", 1),
        (200, b"null", ResponseError, "a list of objects", 1),
        (401, b"who?", AuthError, "401.*who", 1),
        (403, b"no", AuthError, "403.*access type", 1),
        (400, b"bad range", ApiError, "400.*bad range", 1),
        (404, b"unknown", ApiError, "404.*unknown", 1),
        (404, HTML, ResponseError, "not the API's", 1),
        (418, b"", ApiError, "418", 1),
    ],
)
def test_what_does_not_pass_ends_in_an_error_that_says_what_to_check(
    *,
    status: int,
    body: bytes,
    error: type[ApiError],
    says: str,
    sent: int,
    box: Sandbox,
    make_session: MakeSession,
) -> None:
    box.answer(FUNCTION, status=status, body=body, times=10)
    session = make_session()
    with pytest.raises(error, match=f"(?s){says}") as raised:
        session.get(PATH, {}, lifetime=DAY)
    assert raised.value.status == status
    assert type(raised.value) is error
    assert FUNCTION in str(raised.value)
    assert box.count() == sent
    assert session.kept(PATH, {}) is None


def test_a_redirect_is_refused_and_the_key_does_not_go_there(
    box: Sandbox, make_session: MakeSession
) -> None:
    place = f"{box.url}/current/actions/GetAllActions"
    box.answer(FUNCTION, status=302, headers={"Location": place})
    with pytest.raises(ResponseError, match="GetAllActions, which is not followed"):
        make_session().get(PATH, {}, lifetime=DAY)
    assert box.count(path="GetAllActions") == 0


def test_a_wrong_key_is_refused_and_not_cached(box: Sandbox, make_session: MakeSession) -> None:
    session = make_session(key="wrong-key-000")
    with pytest.raises(AuthError, match="is not accepted"):
        session.get(PATH, {}, lifetime=DAY)
    assert session.kept(PATH, {}) is None
    assert box.count(401) == 1


def test_an_error_that_quotes_the_key_back_is_masked(
    box: Sandbox, make_session: MakeSession
) -> None:
    box.answer(FUNCTION, status=400, body=f"key {box.api_key} is odd".encode())
    with pytest.raises(ApiError, match=r"key \*\*\* is odd") as raised:
        make_session().get(PATH, {}, lifetime=DAY)
    assert box.api_key not in str(raised.value)


def test_no_credential_is_in_an_exception_or_a_log(
    box: Sandbox, make_session: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = make_session()
    session.get(PATH, {}, lifetime=DAY)
    box.drop(FUNCTION, times=10)
    with pytest.raises(ConnectionFailedError) as raised:
        session.fetch(PATH, {})
    error: BaseException | None = raised.value
    requests_seen = 0
    while error is not None:
        assert box.api_key not in "".join(traceback.format_exception(error))
        if isinstance(error, requests.RequestException) and error.request is not None:
            requests_seen += 1
            assert "X-API-KEY" not in error.request.headers
        error = error.__cause__ or error.__context__
    assert requests_seen
    assert box.api_key not in caplog.text


@pytest.mark.parametrize("trouble", ["dropped", "refused", "silent", "no TLS"])
def test_no_credential_is_in_what_a_debugger_shows_of_an_exception(
    trouble: str, box: Sandbox, make_session: MakeSession
) -> None:
    key = "k-0123456789-secret"
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = f"http://127.0.0.1:{server.getsockname()[1]}"
        if trouble == "refused":
            server.close()
        url = {"dropped": box.url, "no TLS": box.url.replace("http:", "https:")}
        box.drop(FUNCTION, times=10)
        with pytest.raises(ConnectionFailedError) as raised:
            make_session(url.get(trouble, silent), key, timeout=0.1).get(PATH, {}, lifetime=DAY)
    # The variables of every frame, as IPython's verbose mode and error trackers show them.
    errors: list[BaseException | None] = [raised.value]
    seen = 0
    while errors:
        error = errors.pop()
        if error is None:
            continue
        seen += 1
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        # The frames of this file are the test's own.
        frames = [frame for frame in shown.stack if frame.filename != __file__]
        assert key not in str([frame.locals for frame in frames])
        errors += [error.__cause__, error.__context__]
    assert seen > 3


def test_the_traceback_of_what_the_caller_was_handling_stays(make_session: MakeSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    session = make_session(f"http://127.0.0.1:{port}")
    caught: list[ValueError] = []
    try:
        int("the caller's own")
    except ValueError as own:
        caught.append(own)
        with pytest.raises(ConnectionFailedError):
            session.get(PATH, {}, lifetime=DAY)
    assert caught[0].__traceback__ is not None


def test_what_is_on_this_machine_is_asked_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch, make_session: MakeSession
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert not make_session().get(PATH, {}, lifetime=DAY).from_cache


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # what is tested
def test_a_forked_process_cannot_share_a_session(make_session: MakeSession) -> None:
    session = make_session()
    session.get(PATH, {}, lifetime=DAY)
    child = os.fork()
    if child == 0:  # says by its exit status alone what it saw
        try:
            session.get(PATH, {}, lifetime=DAY)
        except InputError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert session.get(PATH, {}, lifetime=DAY).from_cache


def test_a_closed_session_asks_nothing(box: Sandbox, make_session: MakeSession) -> None:
    session = make_session()
    session.close()
    with pytest.raises(InputError, match="closed"):
        session.get(PATH, {}, lifetime=DAY)
    assert box.count() == 0


def test_a_session_that_is_closed_while_it_waits_sends_no_more(
    box: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()
    box.answer(FUNCTION, status=503, times=10)
    with pytest.raises(InputError, match="closed"):
        session.fetch(PATH, {}, sleep=lambda _: session.close())
    assert box.count() == 1


def test_the_request_that_a_response_shows_holds_no_credential(
    box: Sandbox, tmp_path: Path
) -> None:
    settings = Settings.of(box.url, box.api_key, cache_dir=tmp_path)
    with connect(settings) as http:
        response = http.get(f"{box.url}/current/{PATH}", timeout=5)
    assert response.status_code == 200
    assert not {"x-api-key", "authorization"} & {name.lower() for name in response.request.headers}


def test_a_password_in_netrc_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_session: MakeSession
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        def hear() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        make_session(f"http://127.0.0.1:{port}").get(PATH, {}, lifetime=DAY)
        thread.join()
    assert b"X-API-KEY: " in heard[0]
    assert b"authorization:" not in heard[0].lower()
    assert b"cookie" not in heard[0].lower()


def test_no_server_is_an_error_that_names_it(make_session: MakeSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{port}.*refused"):
        make_session(f"http://127.0.0.1:{port}").get(PATH, {}, lifetime=DAY)


def test_a_server_that_says_nothing_is_given_up(make_session: MakeSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        session = make_session(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with pytest.raises(ConnectionFailedError, match=r"within 0\.05 s"):
            session.get(PATH, {}, lifetime=DAY)


def test_every_try_takes_a_place_in_the_quota(
    box: Sandbox, make_session: MakeSession, waits: Waits
) -> None:
    box.answer(FUNCTION, status=500, times=10)
    session = make_session()
    session.quota = quota = Quota(2, 10.0, clock=lambda: waits.now, sleep=waits)
    with pytest.raises(OptimoveAnalysisError):
        session.get(PATH, {}, lifetime=DAY)
    assert waits.now >= 20.0
    assert quota.in_flight == 0


def test_a_login_token_that_has_aged_is_renewed_once_for_all_threads(tmp_path: Path) -> None:
    clock = 0.0
    logins = []
    with sandbox(quota=100_000, clock=lambda: clock) as box:

        def login() -> str:
            logins.append(1)
            user = {"Username": "sandbox", "Password": box.api_key}
            answer = requests.post(f"{box.url}/current/general/login", json=user, timeout=10)
            return str(answer.json())

        with OptimoveClient(
            box.url, token=login, account="shop", cache_dir=tmp_path, quota=(10_000, 1.0)
        ) as client:
            assert not logins
            client.last_update()
            assert len(logins) == 1
            clock += 21 * 60  # tokens age 20 minutes after their last use
            frame = client.interactions(box.world.customer_ids(30), "2025-01-01", "2025-12-31")
            assert frame.height > 0
            assert len(logins) == 2
            # A login that no longer helps is not tried for ever.
            box.answer(FUNCTION, status=401, body=b"no", times=9)
            with pytest.raises(AuthError):
                client.channels()
            assert len(logins) == 3
            assert box.count(401, FUNCTION) == 2
            shown = repr(client.settings)
            assert client.settings.credential.reveal() not in shown


def test_a_key_is_not_renewed(box: Sandbox, make_session: MakeSession) -> None:
    box.answer(FUNCTION, status=401, body=b"no", times=9)
    with pytest.raises(AuthError):
        make_session().get(PATH, {}, lifetime=DAY)
    assert box.count() == 1


def test_a_renewed_token_needs_an_account_to_keep_answers_for() -> None:
    with pytest.raises(InputError, match="account="):
        Settings.of("api5", token=lambda: "t")
