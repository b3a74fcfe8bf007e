"""The northbound API: what the controller knows, as JSON over HTTP; and links to be avoided or used.

An application of its own beside `controller.routed`, for those who ask for it (`--rest`). Every request
is carried out by the other's worker, between two of its orders. os-ken has no WSGI any more (it went with
eventlet), so the server is the standard library's: a thread that sleeps until somebody connects.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import unquote

from controller import openapi, views
from controller.base import MAIN_DISPATCHER, App, application, ofp_event, set_ev_cls, spawn
from controller.counters import CounterQuestions
from controller.routed import Routed
from scenario.errors import WrongInput

ADDRESS = ("127.0.0.1", 8080)
LINKS = "/v1/links/"
STATES = ("avoid", "use")
MOST_BODY_BYTES = 1024
MOST_AT_ONCE = 16
PATIENCE_S = 10.0
log = logging.getLogger("longhaul.northbound")
Data = dict[str, Any]


class Refused(WrongInput):
    """A request that cannot be carried out."""

    def __init__(self, status: HTTPStatus, text: str, allowed: str = "") -> None:
        super().__init__(text)
        self.status, self.allowed = status, allowed


class Northbound(App):
    """Serves the API. Raises OSError where its port is taken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counters = CounterQuestions()
        self._server = _Server(ADDRESS, partial(Handler, self))
        spawn(self._serve)

    def _serve(self) -> None:
        while True:
            self._server.handle_request()

    @set_ev_cls(ofp_event.EventOFPPortStatsReply, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_ports(self, event: Any) -> None:
        """A part of a switch's counters."""
        self._counters.answered(event.msg)

    @set_ev_cls(ofp_event.EventOFPFlowDescStatsReply, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_flows(self, event: Any) -> None:
        """The same."""
        self._counters.answered(event.msg)

    def get(self, path: str) -> Data:
        """What is at a path. Raises Refused."""
        routed = _routed()
        found: dict[str, Callable[[], Data]] = {
            "/v1/topology": lambda: views.topology(routed),
            "/v1/routes": lambda: views.routes(routed),
            "/v1/counters": lambda: self._count(routed),
            "/v1/differences": lambda: views.differences(routed),
            "/v1/openapi.json": lambda: openapi.description(list(routed.between)),
        }
        if path.startswith(LINKS):
            name = _known(routed, path)
            return routed.between_orders(lambda: views.link(routed, name))
        path = path.partition("?")[0]
        if path not in found:
            raise Refused(HTTPStatus.NOT_FOUND, f"there are {', '.join(found)}, {LINKS}NAME")
        return routed.between_orders(found[path])

    def post(self, path: str, body: bytes) -> Data:
        """Have a link avoided, or used again: the link afterwards. Raises Refused."""
        if not path.startswith(LINKS):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"only {LINKS}NAME can be changed", "GET")
        routed = _routed()
        name, avoid = _known(routed, path), _state(body) == "avoid"

        def change() -> Data:
            routed.drain(name, avoid)
            return views.link(routed, name)

        return routed.between_orders(change)

    def _count(self, routed: Routed) -> Data:
        return {"switches": {x.name: self._counters.of(x) for x in views.connected(routed)}}


def _routed() -> Routed:
    found: Routed = application(Routed.__name__)
    return found


def _known(routed: Routed, path: str) -> str:
    name = unquote(path.removeprefix(LINKS).partition("?")[0])
    if name not in routed.between:
        raise Refused(HTTPStatus.NOT_FOUND, f"there are the links {', '.join(routed.between)}")
    return name


def _state(body: bytes) -> str:
    """What a body asks for. Raises Refused."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or [*asked] != ["state"] or asked["state"] not in STATES:
        raise Refused(HTTPStatus.BAD_REQUEST, 'expected {"state": "avoid"} or {"state": "use"}')
    return str(asked["state"])


class _Server(ThreadingTCPServer):
    """http.server's own looks for the name of its address, which takes a name server. No more than MOST_AT_ONCE are
    answered at once; others wait until one is done."""

    allow_reuse_address = True
    daemon_threads = True
    _places = BoundedSemaphore(MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, when there is a place."""
        self._places.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the thread; leaves the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class Handler(BaseHTTPRequestHandler):
    """One request. All answers are JSON, refusals as {"error": …}."""

    timeout = PATIENCE_S

    def __init__(self, northbound: Northbound, *args: Any) -> None:
        self._northbound = northbound
        super().__init__(*args)

    def do_GET(self) -> None:
        """Look."""
        self._try(lambda: self._northbound.get(self.path))

    def do_POST(self) -> None:
        """Change."""
        self._try(lambda: self._northbound.post(self.path, self._body()))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,6}", length) or int(length) > MOST_BODY_BYTES:
            text = f"a body has a Content-Length, of no more than {MOST_BODY_BYTES}"
            raise Refused(HTTPStatus.BAD_REQUEST, text)
        return self.rfile.read(int(length))

    def _try(self, carry_out: Callable[[], Data]) -> None:
        try:
            self._answer(HTTPStatus.OK, carry_out())
        except Refused as refused:
            self._answer(refused.status, {"error": str(refused)}, refused.allowed)
        except TimeoutError:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "the controller is busy"})

    def _answer(self, status: int, data: Data, allowed: str = "") -> None:
        text = (json.dumps(data, indent=1) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if allowed:
            self.send_header("Allow", allowed)
        self.end_headers()
        self.wfile.write(text)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What http.server itself refuses: a method that it does not know is one that is not allowed here."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            changeable = getattr(self, "path", "").startswith(LINKS)
            self._answer(
                HTTPStatus.METHOD_NOT_ALLOWED,
                {"error": "methods here are GET and, of links, POST"},
                "GET, POST" if changeable else "GET",
            )
            return
        self._answer(code, {"error": message or HTTPStatus(code).phrase})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """To the controller's log."""
        log.info(format, *args)
