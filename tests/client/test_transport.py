"""One request on the wire: how long and how large an answer may be, and what a failure shows.

Each server here is a socket that says exactly what the test hands it.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import socket
import subprocess
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from optimove_analysis.client import Settings, bounds
from optimove_analysis.client.judge import TryAgainError, judge
from optimove_analysis.client.transport import ask, connect
from optimove_analysis.errors import (
    ConnectionFailedError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
)

KEY = "k-0123456789-secret"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Speak = Callable[[socket.socket, bytes], None]
"""What a server does with a connection whose request it has read."""


class Server:
    """Says the same to everyone who asks, until it is closed; nothing is asked twice of it."""

    def __init__(self, speak: Speak) -> None:
        self.asked = 0
        self._speak = speak
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # else accept() goes on waiting on Linux
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            with connection, suppress(OSError):
                connection.settimeout(10)
                self._speak(connection, connection.recv(65536))


@pytest.fixture
def serve() -> Iterator[Callable[[Speak | bytes], Server]]:
    made: list[Server] = []

    def start(speak: Speak | bytes) -> Server:
        def say(connection: socket.socket, _: bytes) -> None:
            assert isinstance(speak, bytes)
            connection.sendall(speak)

        made.append(Server(say if isinstance(speak, bytes) else speak))
        return made[-1]

    yield start
    for server in made:
        server.close()


Serve = Callable[[Speak | bytes], Server]


def asked(server: Server | str, timeout: float = 5.0) -> requests.Response:
    url = server if isinstance(server, str) else server.url
    settings = Settings.of(url, KEY, timeout=timeout)
    with connect(settings) as session:
        return ask(session, f"{url}/current/x/Y", {"CustomerID": "7"}, "Y(CustomerID=7)", settings)


def sized(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return HEAD + length + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def drip(pieces: Iterator[bytes], every: float) -> Speak:
    def speak(connection: socket.socket, _: bytes) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(every)

    return speak


def test_an_answer_is_read_to_its_end_and_its_connection_is_used_again(serve: Serve) -> None:
    def twice(connection: socket.socket, _: bytes) -> None:
        connection.sendall(sized(b"[]"))
        connection.recv(65536)
        connection.sendall(sized(gzip.compress(b"[{}]"), b"Content-Encoding: gzip"))

    server = serve(twice)
    settings = Settings.of(server.url, KEY)
    with connect(settings) as session:
        bodies = [ask(session, server.url, {}, "it", settings).content for _ in range(2)]
    assert bodies == [b"[]", b"[{}]"]
    assert server.asked == 1


@pytest.mark.parametrize(
    "pieces",
    [
        lambda: (bytes([one]) for one in HEAD + b"X: " + b"x" * 10_000),
        lambda: (b"HTTP/1.1 100 Continue\r\n\r\n" for _ in range(1_000)),
        lambda: iter([HEAD + b"Content-Length: 10000\r\n\r\n", *[b" "] * 10_000]),
        lambda: iter([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 10_000]),
        lambda: iter([HEAD + b"\r\n", *[b" "] * 10_000]),
    ],
    ids=["headers", "100 Continue", "body", "chunks", "body without length"],
)
def test_an_answer_that_trickles_is_given_up_as_a_whole(
    pieces: Callable[[], Iterator[bytes]], serve: Serve
) -> None:
    # Each piece comes well within the timeout; all of them would take more than ten seconds.
    with pytest.raises(TryAgainError, match=r"not in full within 0\.8 s") as raised:
        asked(serve(drip(pieces(), 0.02)), timeout=0.2)
    assert isinstance(raised.value.error, ConnectionFailedError)


def test_an_answer_that_is_slow_but_within_its_deadline_is_taken(serve: Serve) -> None:
    pieces = iter([HEAD, b"Content-Length: 6\r\n\r\n", b"[", b"{", b"}", b" ", b" ", b"]"])
    # Longer than the timeout in all, and never as long between two pieces.
    assert asked(serve(drip(pieces, 0.2)), timeout=1.0).content == b"[{}  ]"


@pytest.mark.parametrize("begun", [b"", HEAD, sized(b"[]")[:-1]], ids=["nothing", "head", "body"])
def test_a_server_that_falls_silent_is_given_up(begun: bytes, serve: Serve) -> None:
    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(begun)
        connection.recv(1)  # until the client hangs up

    with pytest.raises(TryAgainError, match=r"did not answer within 0\.2 s"):
        asked(serve(speak), timeout=0.2)


def zeros() -> Iterator[bytes]:
    """Give gzip of zeros without end, 1,000 times as large unpacked."""
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(bytes(2**20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    while True:  # what was packed after a million zeros can follow itself
        yield block * 64


@pytest.mark.parametrize("encoding", [b"gzip", b"identity", b"gzip, gzip"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_is_read_so_far_and_no_further(
    *, encoding: bytes, chunked: bool, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "LARGEST", 8 * 2**20)
    ended: list[int] = []
    begun = HEAD + b"Content-Encoding: " + encoding + b"\r\n"

    def speak(connection: socket.socket, _: bytes) -> None:
        outer = zlib.compressobj(wbits=31)
        sent = 0
        connection.sendall(
            begun + (b"Transfer-Encoding: chunked\r\n" if chunked else b"") + b"\r\n"
        )
        try:
            for piece in zeros():
                if encoding == b"gzip, gzip":
                    piece = outer.compress(piece) + outer.flush(zlib.Z_SYNC_FLUSH)  # noqa: PLW2901 - packed again
                elif encoding == b"identity":
                    piece = bytes(2**16)  # noqa: PLW2901 - as it is
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                sent += len(piece)
        finally:
            ended.append(sent)

    server = serve(speak)
    with pytest.raises(ResponseError, match=r"^Y\(CustomerID=7\): .*larger than 8 MB.*not read"):
        asked(server)
    server.close()
    assert server.asked == 1
    assert len(ended) == 1  # the server was hung up on
    assert ended[0] < 16 * 2**20


def test_a_bomb_takes_little_memory(serve: Serve) -> None:
    pytest.importorskip("resource", reason="this system does not tell what a process used")

    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n")
        for piece in zeros():
            connection.sendall(piece)

    # What was used at most is told of a whole process.
    program = (
        "import resource, sys\n"
        "from optimove_analysis.client import Settings, bounds, transport\n"
        "from optimove_analysis.errors import ResponseError\n"
        "bounds.LARGEST = 64 * 2**20\n"
        "settings = Settings.of(sys.argv[1], 'some key')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    transport.ask(transport.connect(settings), sys.argv[1], {}, 'it', settings)\n"
        "except ResponseError:\n"
        "    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print((after - before) // (1024 if sys.platform != 'darwin' else 2**20))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, serve(speak).url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(ran.stdout) < 2 * 64 + 32


@pytest.mark.parametrize(
    "said",
    [
        sized(b"[]").replace(b"Length: 2", b"Length: 200"),
        sized(b"[]")[:-3],
        sized(b"[]", b"Content-Encoding: gzip"),
        sized(gzip.compress(b"[]")[:-8] + b"12345678", b"Content-Encoding: gzip"),
        sized(b"[]").replace(b"Length: 2", b"Length: 2, 3"),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[]",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n[]\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n[]",
        b"\0" * 70_000,
        HEAD + b"X: y\r\n" * 200 + b"\r\n[]",
        b"",
    ],
    ids=[
        "length too long",
        "cut in the headers",
        "not packed as it says",
        "packed with a wrong sum",
        "two lengths",
        "chunk cut",
        "chunk of negative length",
        "chunk without length",
        "not HTTP",
        "status in words",
        "HTTP of the future",
        "a line too long",
        "200 headers",
        "nothing",
    ],
)
def test_what_is_no_whole_answer_may_be_asked_for_again(said: bytes, serve: Serve) -> None:
    with pytest.raises(TryAgainError, match=r"Y\(CustomerID=7\): no complete answer") as raised:
        asked(serve(said))
    assert isinstance(raised.value.error, ConnectionFailedError)


def test_a_body_longer_than_its_length_is_cut_and_judged_so(serve: Serve) -> None:
    server = serve(sized(b'[{"a": 1}]').replace(b"Length: 10", b"Length: 6"))
    response = asked(server)
    assert response.content == b'[{"a":'
    with pytest.raises(TryAgainError, match="cut short"):
        judge(response, "it", "list", Settings.of(server.url, KEY))


def test_a_connection_that_ends_within_tls_may_be_tried_again(serve: Serve) -> None:
    server = serve(lambda _connection, _heard: None)
    with pytest.raises(TryAgainError, match="no complete answer"):
        asked(server.url.replace("http:", "https:"))


def test_a_server_without_a_trusted_certificate_is_not_tried_again(tmp_path: Path) -> None:
    import ssl  # noqa: PLC0415 - for this test alone

    made = tmp_path / "self-signed.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -batch"
    try:
        subprocess.run(
            [*command.split(), "-keyout", made, "-out", tmp_path / "cert.pem"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", made)
    listener = socket.create_server(("127.0.0.1", 0))

    def shake() -> None:
        connection, _ = listener.accept()
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1)

    thread = threading.Thread(target=shake, daemon=True)
    thread.start()
    with pytest.raises(ConnectionFailedError, match="no certificate that this computer trusts"):
        asked(f"https://127.0.0.1:{listener.getsockname()[1]}")
    thread.join(10)
    listener.close()


def shown(error: BaseException) -> str:
    """Return everything that a debugger shows of an exception and of what led to it."""
    texts: list[str] = []
    errors: list[BaseException | None] = [error]
    while errors:
        one = errors.pop()
        if one is not None:
            trace = traceback.TracebackException.from_exception(one, capture_locals=True)
            # The frames of this file are the test's own.
            frames = [frame for frame in trace.stack if frame.filename != __file__]
            texts += [str(one), repr(one), repr(one.args), repr([f.locals for f in frames])]
            if isinstance(one, requests.RequestException) and one.request is not None:
                texts.append(repr(one.request.headers))
            errors += [one.__cause__, one.__context__, getattr(one, "error", None)]
    return "\n".join(texts)


def echo(before: bytes, after: bytes = b"") -> Speak:
    def speak(connection: socket.socket, heard: bytes) -> None:
        key = next(line for line in heard.split(b"\r\n") if line.startswith(b"X-API-KEY"))
        connection.sendall(before + key + after)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        echo(b""),
        echo(b"HTTP/1.1 "),
        echo(HEAD + b"Content-Length: 1000\r\n\r\n"),
        echo(HEAD + b"Content-Encoding: gzip\r\n\r\n"),
        echo(HEAD, b"\r\n"),
        echo(HEAD + b"Content-Length: ", b"\r\n\r\n["),
        echo(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        drip(iter([HEAD + b"Content-Length: 10000\r\n\r\n", *[b" "] * 10_000]), 0.02),
        lambda connection, _: connection.sendall(HEAD + b"\r\n" + bytes(2**21)),
    ],
    ids=[
        "as a line",
        "as a status",
        "cut",
        "packed",
        "as a header",
        "as a length",
        "as a chunk",
        "trickle",
        "too large",
    ],
)
def test_no_failure_shows_the_credential_be_it_sent_back(
    speak: Speak,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bounds, "LARGEST", 2**20)
    # http.client would print every request, as programs that debug make it do.
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level("DEBUG")
    server = serve(speak)
    settings = Settings.of(server.url, KEY)
    with pytest.raises((OptimoveAnalysisError, TryAgainError)) as raised:
        judge(asked(server, timeout=0.3), "it", "list", settings)
    said = shown(raised.value)
    printed = capfd.readouterr()
    for text in (said, caplog.text, printed.out, printed.err):
        assert KEY not in text
        assert base64.b64encode(KEY.encode()).decode() not in text


def test_a_failure_says_nothing_of_what_its_caller_was_handling(serve: Serve) -> None:
    try:
        int("the caller's own")
    except ValueError:
        with pytest.raises(TryAgainError) as raised:
            asked(serve(b"\r\n"))
    assert "caller" not in str(raised.value)


def judged(status: int, body: bytes = b"", **headers: str) -> Exception:
    response = requests.Response()
    response.status_code, response._content = status, body  # noqa: SLF001 - a response by hand
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the caller looks at it
        judge(response, "it", "list", Settings.of("api5", KEY))
    return raised.value


@pytest.mark.parametrize(
    ("asks", "wait"),
    [
        ("7", 7.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 09:28:30 +0200", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999999", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("soon", None),
        ("-7", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_how_long_the_server_asks_to_wait_goes_by_its_own_clock(
    asks: str, wait: float | None
) -> None:
    error = judged(429, Retry_After=asks, Date="Wed, 21 Oct 2015 07:28:00 GMT")
    assert isinstance(error, TryAgainError)
    assert isinstance(error.error, QuotaError)
    assert error.wait == wait


def test_a_redirect_is_quoted_without_what_it_carries() -> None:
    to = "https://me:pw@login.example/in?ticket=abc#t"
    said = str(judged(302, Location=to))
    assert "https://login.example/in, which" in said
    for part in ("pw", "ticket", "abc", "#t"):
        assert part not in said
    assert "no address" in str(judged(302, Location="http://[broken"))


def test_a_long_page_that_quotes_the_credential_is_quoted_without_it() -> None:
    said = str(judged(400, b"x" * 150 + KEY.encode() + b"y" * 10_000_000))
    assert "x" * 150 + "***" in said
    assert KEY[:6] not in said


def test_a_proxy_is_held_to_the_same_deadline(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(drip(iter([b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 10_000]), 0.02))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(TryAgainError) as raised:
        asked("https://api5.optimove.example", timeout=0.3)
    assert proxy.asked == 1
    assert KEY not in shown(raised.value)
