"""The HTTP session beneath everything, where the credential is put on, unseen by all above.

It goes on a copy of the request, in the adapter: the request that a response, an exception, a log
or the cache can see never holds it. Nor do the frames of an exception's traceback, whose variables
verbose tracebacks and error trackers show.

`ask` sends one request, and tells a failure that may pass from one that will not.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from optimove_analysis.client.bounds import WHOLE, TooLargeError, read_whole, set_deadlines
from optimove_analysis.client.judge import TRIES, TryAgainError
from optimove_analysis.client.settings import Settings, is_loopback
from optimove_analysis.errors import ConnectionFailedError, ResponseError

__all__ = ["ask", "connect"]


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
            answer may take `bounds.WHOLE` times as long.

    Raises:
        TryAgainError: no answer came, or not all of it.
        ConnectionFailedError: there is no trusting this server, or the request cannot be sent.
        ResponseError: the answer is larger than `bounds.LARGEST`.
    """
    outer = sys.exception()  # what the caller is handling has led to nothing here
    try:
        return http.get(url, params=dict(params), timeout=settings.timeout, allow_redirects=False)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        failure, cause = _explained(error, outer, asked, settings)
    raise failure from cause  # out here, where it has no context


class _SigningAdapter(HTTPAdapter):
    """Puts the credential on a copy of the request, at the last moment, and reads the answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = is_loopback(urlsplit(settings.url).hostname or "")
        super().__init__(pool_connections=2, pool_maxsize=settings.threads)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base has them
        super().init_poolmanager(*args, **kwargs)
        set_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base has them
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            set_deadlines(manager)
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
            read_whole(response)
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
    if isinstance(error, TooLargeError):
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
