"""The HTTP session beneath everything, where the credential is put on, unseen by all above.

It goes on a copy of the request, in the adapter: the request that a response, an exception, a log
or the cache can see never holds it. Nor do the frames of an exception's traceback, whose variables
verbose tracebacks and error trackers show.

Here, too, is what a server may do to a client that asks it: take so long for an answer, and make
it so large. `ask` tells what may pass from what will not.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from optimove_analysis.client.judge import TRIES, TryAgainError
from optimove_analysis.client.settings import Settings, is_loopback
from optimove_analysis.errors import ConnectionFailedError, ResponseError

__all__ = ["LARGEST", "WHOLE", "ask", "connect"]

WHOLE: Final = 4
"""A whole answer may take so many times the timeout, which is for each piece of it.

Without it a server that sends a byte now and then would hold a thread for ever. With the default
timeout it is two minutes, in which a slow line of 200 kB/s brings 24 MB.
"""
LARGEST: Final = 256 * 2**20
"""Bytes of a body, unpacked. A million customer ids are 40 MB, but a packed answer of 1 MB can
unpack to 1 GB, and 16 threads read at once."""
_PIECE: Final = 2**16
"""Bytes that are unpacked at a time, so that a body is not in memory before it is measured."""


def connect(settings: Settings) -> requests.Session:
    """Return an HTTP session that signs what it sends; threads may share it."""
    session = requests.Session()
    # An auth of our own, be it one that does nothing, keeps requests from looking into ~/.netrc
    # and sending a password found there; proxies and certificates stay as the user set them up.
    session.auth = _no_auth
    # The API needs no cookies, and a cookie may be a credential.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept"] = "application/json"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _SigningAdapter(settings))
    return session


def ask(
    http: requests.Session, url: str, params: Mapping[str, str], asked: str, settings: Settings
) -> requests.Response:
    """Send one request and return its answer, read to the end, whatever it is worth.

    Args:
        http: of `connect`.
        url: what to ask; redirects are not followed.
        params: the parameters.
        asked: what an error calls the request.
        settings: its timeout is for the connection and for each piece of the answer; the whole
            answer may take `WHOLE` times as long.

    Raises:
        TryAgainError: no answer came, or not all of it.
        ConnectionFailedError: there is no trusting this server, or the request cannot be sent.
        ResponseError: the answer is larger than `LARGEST`.
    """
    outer = sys.exception()  # what the caller is handling has led to nothing here
    try:
        return http.get(url, params=dict(params), timeout=settings.timeout, allow_redirects=False)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        failure, cause = _explained(error, outer, asked, settings)
    raise failure from cause  # out here, where it has no context


class _TooLargeError(requests.exceptions.RequestException):
    """More bytes than an answer can have."""


class _SigningAdapter(HTTPAdapter):
    """Puts the credential on a copy of the request, at the last moment, and reads the answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = is_loopback(urlsplit(settings.url).hostname or "")
        super().__init__(pool_connections=2, pool_maxsize=settings.threads)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base has them
        super().init_poolmanager(*args, **kwargs)
        _set_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base has them
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _set_deadlines(manager)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - as the base has them
        **kwargs: Any,  # noqa: ANN401 - as the base has them
    ) -> requests.Response:
        if self._local:
            # A proxy cannot reach this machine, and plain HTTP would show it the credential.
            kwargs["proxies"] = {}
        outer = sys.exception()
        try:
            response = super().send(self._signed(request), *args, **kwargs)
            response.request = request
            _read(response)
        except BaseException as error:
            _forget_frames(error, outer)
            if isinstance(error, requests.exceptions.RequestException):
                error.request = request
            raise
        return response

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = request.copy()
        signed.headers[self._settings.header] = self._settings.credential.reveal()
        return signed


class _Reader(io.RawIOBase):
    """What comes from a socket, until the answer has taken too long as a whole."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, timeout: float) -> None:
        self._raw, self._sock, self._timeout = raw, sock, timeout
        self._end = time.monotonic() + WHOLE * timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - as the base has it
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(min(self._timeout, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """An answer whose status line, headers and body together have a deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base has them
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, timeout))


def _set_deadlines(manager: urllib3.PoolManager) -> None:
    """Let the connections that a manager will make give each answer a deadline.

    A kind of connection is not known before there is a manager: SOCKS has its own.
    """
    on_connection = {
        "response_class": _TimedResponse,
        # http.client prints what it sends, the credential too, if a program sets this on its class.
        "debuglevel": 0,
    }
    kinds: dict[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: type(
            kind.__name__,
            (kind,),
            {"ConnectionCls": type("Connection", (kind.ConnectionCls,), on_connection)},
        )
        for scheme, kind in kinds.items()
    }


def _read(response: requests.Response) -> None:
    """Read an answer to its end, or until it is too large."""
    size, pieces = 0, []
    try:
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > LARGEST:
                response.close()  # and the connection: the rest of it is of no use
                raise _TooLargeError(f"the answer is larger than {LARGEST // 2**20} MB")
            pieces.append(piece)
    except ValueError as error:
        # What urllib3 makes of a chunk whose length is below 0.
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    response._content = b"".join(pieces)  # noqa: SLF001 - requests has no other way to be given it


def _explained(
    error: BaseException, outer: BaseException | None, asked: str, settings: Settings
) -> tuple[TryAgainError | ConnectionFailedError | ResponseError, BaseException | None]:
    """Return what to raise of a failure, and from what."""
    reasons = list(_reasons(error, outer))
    # A server that sends back what it got puts the credential into the reasons.
    shown = "".join(f"{reason} {reason.args}" for reason in reasons)
    told = settings.credential.redact(shown) != shown
    return _failure(reasons, asked, settings), None if told else error


def _failure(
    reasons: Sequence[BaseException], asked: str, settings: Settings
) -> TryAgainError | ConnectionFailedError | ResponseError:
    """Return what an exception of requests means for who asked."""
    error, host, timeout = reasons[0], settings.url, settings.timeout
    cause = settings.credential.redact(str(reasons[-1]) or type(reasons[-1]).__name__)
    if isinstance(error, _TooLargeError):
        return ResponseError(
            f"{asked}: {cause}, which no answer of the API is, and was not read to its end. Is "
            "the instance right?"
        )
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
        return ConnectionFailedError(
            f"{asked}: {host} has no certificate that this computer trusts ({cause}). "
            "Is the address right? Behind a proxy, set REQUESTS_CA_BUNDLE."
        )
    late = (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError)
    # requests says of a timeout in the body that the connection failed.
    if isinstance(error, late) or any(isinstance(said, late) for said in error.args):
        return TryAgainError(
            ConnectionFailedError(
                f"{asked}: {host} did not answer within {timeout:g} s, or not in full within "
                f"{WHOLE * timeout:g} s, {TRIES} times. Is the network up? timeout=... waits "
                "longer."
            )
        )
    # What is wrong with the address is a ValueError to requests; and so are an answer's headers.
    if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidHeader):
        return ConnectionFailedError(f"{asked} cannot be sent: {cause}.")
    return TryAgainError(
        ConnectionFailedError(
            f"{asked}: no complete answer came from {host} in {TRIES} tries ({cause}). Is the "
            "instance right, and the network up?"
        )
    )


def _reasons(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and what led to it: requests wraps urllib3, which wraps the socket's."""
    reason: BaseException | None = error
    while reason is not None and reason is not outer:
        yield reason
        reason = reason.__cause__ or reason.__context__


def _forget_frames(error: BaseException | None, outer: BaseException | None) -> None:
    """Take the frames off an exception and off those that led to it: they hold the credential.

    ``outer`` is what the caller was handling when it sent; that is not ours to touch.
    """
    if error is None or error is outer:
        return
    error.__traceback__ = None
    _forget_frames(error.__cause__, outer)
    if error.__context__ is not error.__cause__:
        _forget_frames(error.__context__, outer)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
