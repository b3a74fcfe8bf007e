"""What the host's adapter counts during a workload, and what becomes of the packets of each connection, as files beside
the events: `<events>.adapter` and `<events>.pairs`, where there is an adapter that counts. Standard library alone.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from traffic.host.transport import Connection, Transport


class Counting:
    """Counts of the adapter from now on, and of connections as they are handed over."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._before = transport.counters()
        self._pairs: list[tuple[str, int, dict[str, int]]] = []
        self._channels: Counter[str] = Counter()

    def add(self, connection: Connection, channel: int | None = None) -> None:
        """What has become so far of the packets of a connection that is still open; its channel, or else it is the
        next with that host."""
        if not self._before:
            return
        address = connection.address
        if channel is None:
            channel = self._channels[address]
            self._channels[address] += 1
        self._pairs.append((address, channel, connection.met()))

    def write(self, events: Path) -> None:
        """Write both, if there is anything."""
        if not self._before:
            return
        now = self._transport.counters()
        counted = {name: now[name] - before for name, before in self._before.items()}
        Path(f"{events}.adapter").write_text(json.dumps(counted), encoding="utf-8")
        Path(f"{events}.pairs").write_text(json.dumps(self._pairs), encoding="utf-8")
