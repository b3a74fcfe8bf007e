"""What carries bytes between hosts: the one seam between those who have something to send and what sends it.

A connection is an ordered stream of bytes with one other host. It never blocks and is waited for in an
edge-triggered epoll; whoever uses it knows nothing of sockets. A transport is a module behind this seam
(`traffic.host.tcp`), named in `traffic.host.transports`. Standard library alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

Kind = Literal["tcp", "roce"]

EXPEDITED = 46  # the DSCP of expedited forwarding [RFC 3246]
SMALL_BYTES = 4096
"""A connection whose messages are all this small is one that is waited for: its packets are EXPEDITED, and
routing may mind."""


class HungUp(ConnectionError):
    """The other end has closed the connection, and all that it had sent has been received."""


class Path(NamedTuple):
    """What the way to a host bears, where that is not the transport's own business: so many packets under
    way, so many bytes per second on its slowest wire, 0: as many as there are; and whether marks are obeyed."""

    window: int = 0
    rate_Bps: int = 0
    obeys: bool = False


ANY_PATH = Path()


@dataclass(frozen=True)
class Settings:
    """How connections are to be. A transport leaves out what it does not know.

    Of TCP: `congestion` control as Linux names it; `buffer_bytes` of each socket, None: as the kernel tunes them;
    payload at most at `pacing_Bps`; at most `unsent_bytes` taken before they are on the wire; `prompt`:
    acknowledged at once, however little has come. Of RDMA: packets of at most `path_mtu` bytes of
    payload; an acknowledgement is waited for 4.096 µs × 2^`timeout`; at most `depth` messages are under way.
    What `discards` receives nobody reads: it need not be kept. `one_way`: only who has called sends.
    """

    kind: Kind = "tcp"
    congestion: str = "cubic"
    buffer_bytes: int | None = None
    pacing_Bps: float | None = None
    unsent_bytes: int | None = None
    prompt: bool = False
    path_mtu: int = 4096
    timeout: int = 20
    depth: int = 64
    path: Path = ANY_PATH
    discards: bool = False
    one_way: bool = False


def read_settings(found: dict[str, Any]) -> Settings:
    """Settings that were written as JSON."""
    return Settings(**found | {"path": Path(*found["path"])})


class Connection(Protocol):
    """One end of a stream of bytes each way."""

    def fileno(self) -> int:
        """For pollers, edge-triggered: something has come, or there is room again."""

    def send(self, data: memoryview) -> int:
        """Hand over as many bytes as there is room for now; how many."""

    def receive(self, room: memoryview) -> int:
        """Put what has come into `room`; how many bytes, 0 if nothing has. Raises HungUp."""

    def discard(self, most: int) -> int:
        """As `receive`, of bytes that nobody reads."""

    def wake_after(self, count: int) -> None:
        """Be readable only when `count` bytes are there. More than are to come would be for ever."""

    def expedite(self) -> None:
        """All messages are small, from now on."""

    def settle(self) -> None:
        """Wait until the other end is ready for what is sent."""

    @property
    def address(self) -> str:
        """Of the other end."""

    def met(self) -> dict[str, int]:
        """What has become of its packets so far, by name; nothing where nobody counts."""

    def close(self) -> None:
        """Hang up, once all that was sent is there."""


class Listener(Protocol):
    """Where a host is called."""

    def fileno(self) -> int:
        """For pollers: somebody calls."""

    def accept(self, hello_bytes: int = 0) -> tuple[Connection, bytes]:
        """The next caller, and what it said first."""

    def close(self) -> None:
        """Be called no more; connections stay."""


class Transport(Protocol):
    """A way of carrying bytes."""

    def listen(self, address: str, port: int, backlog: int) -> Listener:
        """Be called there."""

    def count(self, address: str, port: int, number: int) -> None:
        """Have the next connection there be the `number`th, by which its source port is found."""

    def connect(
        self,
        address: str,
        port: int,
        hello: bytes = b"",
        *,
        expedited: bool = False,
        path: Path | None = None,
    ) -> Connection:
        """Call, again and again while nobody listens there yet, and say `hello`. The `path` is the
        settings' where nothing is said of it."""

    def connect_soon(self, address: str, port: int) -> Connection:
        """Call without waiting: what is sent before somebody answers is sent then."""

    def counters(self) -> dict[str, int]:
        """What the host's adapter has counted so far, by name; nothing where there is none."""
