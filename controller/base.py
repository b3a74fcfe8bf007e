"""The one module that imports os-ken; Ryu's API has the same names under `ryu.`.

It offers what an application here needs: the base class, the events, and `serve`.
"""

from __future__ import annotations

from os_ken import cfg
from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import (
    CONFIG_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
)
from os_ken.ofproto import ofproto_v1_3

__all__ = [
    "CONFIG_DISPATCHER",
    "MAIN_DISPATCHER",
    "App",
    "ofp_event",
    "serve",
    "set_ev_cls",
]


class App(OSKenApp):  # type: ignore[misc]
    """An application that speaks OpenFlow 1.3."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)


def serve(application: str, port: int) -> None:
    """Run an application (a module's name) on 127.0.0.1:`port` until it is killed."""
    listen = ["--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", str(port)]
    cfg.CONF(args=listen, project="os_ken")
    AppManager.run_apps([application])
