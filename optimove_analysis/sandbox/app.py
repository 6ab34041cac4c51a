"""What happens to one request: fault, quota, path, method, key, parameters, answer."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox.access import Quota
from optimove_analysis.sandbox.endpoints import ENDPOINTS, Endpoint, Tenant
from optimove_analysis.sandbox.parameters import Refusal, arguments

__all__ = ["NO_ANSWER", "Api", "Fault", "Served", "function_of"]

_LOGGER: Final = logging.getLogger(__name__)

NO_ANSWER: Final = 0
"""The logged status of a request whose connection was closed without an answer."""

# As documented (reference/understanding-api-rate-limits-at-optimove, read 2026-11).
_TOO_MANY: Final = {
    "status": 429,
    "error": "Too Many Requests",
    "message": "You have exceeded the rate limit for this API group. Please retry later.",
}

_BY_PATH: Final[Mapping[str, Endpoint]] = {endpoint.url_path: endpoint for endpoint in ENDPOINTS}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Served(NamedTuple):
    """One request in the log: when it arrived at the quota check, its path, and its status."""

    at: float
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What a request gets in place of its answer; no body at all for a dropped connection."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def function_of(path_or_function: str) -> str:
    """Return the function's name of a path or of itself.

    >>> function_of("/current/general/GetLastDataUpdate")
    'GetLastDataUpdate'

    Raises:
        InputError: the sandbox has no such function.
    """
    name = path_or_function.rpartition("/")[2]
    known = [endpoint.function for endpoint in ENDPOINTS]
    if name not in known:
        raise InputError.option("function", path_or_function, known)
    return name


class Api:
    """The tenant's API as an ASGI application; all of it runs on the server's one event loop.

    ``faults`` and ``log`` are shared with the thread that made it: appending to a deque or a
    list, and popping from a deque, are atomic.
    """

    def __init__(
        self,
        tenant: Tenant,
        quota: Quota,
        delay: Callable[[], float],
        hang_up: Callable[[Scope], None],
    ) -> None:
        self._tenant, self._quota, self._delay, self._hang_up = tenant, quota, delay, hang_up
        self.log: list[Served] = []
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        # One route for all: the order of the checks below is the API's, not the framework's.
        route = Route("/{path:path}", self._serve, methods=_METHODS)
        self.app = Starlette(routes=[route])

    async def _serve(self, request: Request) -> Response:
        delay = self._delay()
        if delay > 0:
            await asyncio.sleep(delay)
        body = await request.body()
        # From here to the log there is no await: requests are logged in the order of arrival.
        path = request.url.path
        header = request.headers
        credential = header.get("X-API-KEY") or header.get("Authorization-Token") or ""
        # Every request with a key counts, a wrong key and an unknown path included.
        at, admitted = self._quota.arrive(credential) if credential else (self._quota.now(), True)
        endpoint = _BY_PATH.get(path)
        fault = self._next_fault(endpoint)
        response: Response
        if fault is not None:
            response = _faulty(fault, self._hang_up)
        elif not admitted:
            response = JSONResponse(_TOO_MANY, 429)
        else:
            try:
                response = self._answer(endpoint, request, body)
            except Refusal as refusal:
                response = PlainTextResponse(refusal.text, refusal.status)
            except Exception:  # a fault of the sandbox's own: answered like any server's, and told
                _LOGGER.exception("the sandbox failed on %s", request.url)
                response = PlainTextResponse("Internal Server Error", 500)
        status = response.status_code if not isinstance(response, _NoAnswer) else NO_ANSWER
        self.log.append(Served(at, path, status))
        return response

    def _next_fault(self, endpoint: Endpoint | None) -> Fault | None:
        pending = self.faults.get(endpoint.function) if endpoint else None
        return pending.popleft() if pending else None

    def _answer(self, endpoint: Endpoint | None, request: Request, body: bytes) -> Response:
        if endpoint is None:
            known = [f"{known.method} {path}" for path, known in _BY_PATH.items()]
            text = f"No function at {request.url.path}."
            return JSONResponse({"status": 404, "error": text, "known": known}, 404)
        if request.method != endpoint.method:
            text = f"{endpoint.function} takes {endpoint.method}, not {request.method}."
            return PlainTextResponse(text, 405, {"Allow": endpoint.method})
        if not (endpoint.open or self._allowed(request)):
            raise Refusal(401, "Unauthorized: the header X-API-KEY is missing or its key is wrong.")
        query = _posted(body) if endpoint.method == "POST" else request.query_params.multi_items()
        given = arguments(endpoint.function, query, needs=endpoint.needs, allows=endpoint.allows)
        return JSONResponse(endpoint.answer(self._tenant, given))

    def _allowed(self, request: Request) -> bool:
        key = request.headers.get("X-API-KEY")
        if key is not None:
            return key == self._tenant.api_key
        return self._tenant.tokens.use(request.headers.get("Authorization-Token", ""))


def _posted(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a login; public programs write UserName, username and Username."""
    try:
        fields = json.loads(body)
    except ValueError:
        return []
    if not isinstance(fields, dict):
        return []
    return [(str(name).capitalize(), str(value)) for name, value in fields.items()]


class _NoAnswer(Response):
    """Ends the connection, before the status line or in the middle of the body."""

    def __init__(self, hang_up: Callable[[Scope], None], body: bytes) -> None:
        super().__init__()
        self._hang_up, self._begun = hang_up, body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._begun:
            length = str(2 * len(self._begun) + 100).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._begun, "more_body": True})
        self._hang_up(scope)
        # Wait until the server has seen it, else it would answer 500 for the missing answer.
        while (await receive())["type"] != "http.disconnect":
            pass


def _faulty(fault: Fault, hang_up: Callable[[Scope], None]) -> Response:
    if fault.status == NO_ANSWER:
        return _NoAnswer(hang_up, fault.body)
    return Response(fault.body, fault.status, dict(fault.headers))
