"""Every transport by its name. Standard library alone."""

from __future__ import annotations

from traffic.host.roce import Roce
from traffic.host.tcp import Tcp
from traffic.host.transport import Settings, Transport


def opened(settings: Settings) -> Transport:
    """The transport that is asked for."""
    return Roce(settings) if settings.kind == "roce" else Tcp(settings)
