"""The HTTP session beneath everything, where the credential is put on, unseen by all above.

It goes on a copy of the request, in the adapter: the request that a response, an exception, a log
or the cache can see never holds it. Nor do the frames of an exception's traceback, whose variables
verbose tracebacks and error trackers show.
"""

from __future__ import annotations

import sys
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from optimove_analysis.client.settings import Settings, is_loopback

__all__ = ["connect"]


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


class _SigningAdapter(HTTPAdapter):
    """Puts the credential on a copy of the request, at the last moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = is_loopback(urlsplit(settings.url).hostname or "")
        super().__init__(pool_connections=2, pool_maxsize=settings.threads)

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
        except BaseException as error:
            _forget_frames(error, outer)
            if isinstance(error, requests.exceptions.RequestException):
                error.request = request
            raise
        response.request = request
        return response

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = request.copy()
        signed.headers[self._settings.header] = self._settings.credential.reveal()
        return signed


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
