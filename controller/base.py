"""The one module that imports os-ken; Ryu's API has the same names under `ryu.`.

It offers what an application here needs: the base class, the events, threads, and `serve`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from os_ken import cfg
from os_ken.base import app_manager
from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import (
    CONFIG_DISPATCHER,
    DEAD_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
)
from os_ken.lib import hub
from os_ken.lib.packet import arp, ethernet, lldp
from os_ken.ofproto import ofproto_v1_5

__all__ = [
    "APPLICATION",
    "CONFIG_DISPATCHER",
    "DEAD_DISPATCHER",
    "MAIN_DISPATCHER",
    "App",
    "Empty",
    "Queue",
    "after",
    "application",
    "arp",
    "ethernet",
    "lldp",
    "ofp_event",
    "pause",
    "serve",
    "set_ev_cls",
    "spawn",
]

APPLICATION: type = OSKenApp
"""What all applications derive from."""
Queue = hub.Queue
Empty = hub.QueueEmpty


app_manager.RyuApp = OSKenApp  # the one class that os-ken did not keep the name of


class App(OSKenApp):  # type: ignore[misc]
    """An application that speaks OpenFlow 1.5, the first in which a group says how it hashes."""

    OFP_VERSIONS = (ofproto_v1_5.OFP_VERSION,)


def spawn(work: Callable[[], None]) -> None:
    """Do some work in a thread of its own."""
    hub.spawn(work)


def after(seconds: float, call: Callable[[], None]) -> None:
    """Call something later, in a thread of its own."""
    hub.spawn_after(seconds, call)


def pause(seconds: float) -> None:
    """Let others run for a while."""
    hub.sleep(seconds)


def application(name: str) -> Any:
    """The application of a class's name. Raises LookupError where there is none."""
    found = app_manager.lookup_service_brick(name)
    if found is None:
        raise LookupError(f"no application {name} runs")
    return found


def serve(applications: list[str], port: int) -> None:
    """Run applications (modules' names, or files) on 127.0.0.1:`port` until they are killed."""
    listen = ["--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", str(port)]
    cfg.CONF(args=listen, project="os_ken")
    AppManager.run_apps(applications)
