"""RoCE as a transport (`traffic.host.transport`): a reliable queue pair per connection, sends into receives
that are posted ahead, and completion events, never a poll that waits. Standard library alone.

The ends tell each other their queue pairs' numbers over TCP, as NCCL's do; that connection stays open, and
its end is the connection's; packets leave from the port that its caller leaves from. Bytes that nobody reads
go from and into one small region of each host; others are copied through registered slots, as NCCL copies
through its buffers: what is sent may be overwritten at once. A message of several packets is posted in two
parts, the first packet and the rest, so that its arrival has a beginning and an end.
"""

from __future__ import annotations

import mmap
import select
import struct
from collections import deque
from dataclasses import replace
from pathlib import Path as FilePath

from traffic.host import pair_counts
from traffic.host.counters import held_up_ns
from traffic.host.registered import PARTS, PIECE_BYTES, Nowhere, Room, Slots
from traffic.host.tcp import Tcp, TcpConnection, TcpListener
from traffic.host.transport import EXPEDITED, HungUp, Path, Settings
from traffic.host.verbs import DRIVER, Completion, Device, Events, Labelled, Queue, QueuePair

COUNTERS = f"{DRIVER}*/ports/1/hw_counters/*"
DEVICES = FilePath("/sys/class/infiniband")
"""Those of the host alone."""
PARAMETERS = FilePath("/sys/module/rdma_rxe/parameters")
"""Of queue pairs that are made from now on."""
NO_COUNTERS = ("lifespan",)
_CARD = struct.Struct("<I")  # the number of a queue pair


class Roce:
    """The host's adapter, open as long as somebody uses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tcp = Tcp(replace(settings, pacing_Bps=None, buffer_bytes=None, unsent_bytes=None))
        self._adapter = Adapter()

    def listen(self, address: str, port: int, backlog: int) -> RoceListener:
        """Be called there."""
        return RoceListener(self._tcp.listen(address, port, backlog), self._adapter, self._settings)

    def count(self, address: str, port: int, number: int) -> None:
        """Have the next connection there be the `number`th."""
        self._tcp.count(address, port, number)

    def connect(
        self,
        address: str,
        port: int,
        hello: bytes = b"",
        *,
        expedited: bool = False,
        path: Path | None = None,
    ) -> RoceConnection:
        """Call, again and again while nobody listens there yet, and say `hello`. The `path` is the
        settings' where nothing is said of it."""
        line = self._tcp.connect(address, port, expedited=expedited)
        settings = replace(self._settings, path=path) if path else self._settings
        connection = RoceConnection(line, self._adapter, settings, hello)
        if expedited:
            connection.expedite()
        return connection

    def connect_soon(self, address: str, port: int) -> RoceConnection:
        """Call without waiting: what is sent before somebody answers is sent then."""
        line = self._tcp.connect_soon(address, port)
        return RoceConnection(line, self._adapter, self._settings, b"")

    def counters(self) -> dict[str, int]:
        """What the host's adapter has counted so far, by name."""
        counted = {
            path.name: int(path.read_text())
            for path in DEVICES.glob(COUNTERS)
            if path.name not in NO_COUNTERS
        }
        return counted | {"held_up_ns": held_up_ns()}


class Adapter:
    """An open device, and the memory for bytes that nobody reads; both only as long as there are users."""

    def __init__(self) -> None:
        self._users = 0

    def enter(self) -> Device:
        """One more user."""
        if not self._users:
            self.device = Device()
            self.index = pair_counts.device_index(self.device.name)
            self.nowhere = self.device.register(memoryview(mmap.mmap(-1, PIECE_BYTES)))
        self._users += 1
        return self.device

    def leave(self) -> None:
        """One less."""
        self._users -= 1
        if not self._users:
            self.nowhere.close()
            self.device.close()


class RoceListener:
    """A TCP socket for those who have a queue pair to offer."""

    def __init__(self, listener: TcpListener, adapter: Adapter, settings: Settings) -> None:
        self._listener = listener
        self._adapter = adapter
        self._settings = settings

    def fileno(self) -> int:
        """For pollers: somebody calls."""
        return self._listener.fileno()

    def accept(self, hello_bytes: int = 0) -> tuple[RoceConnection, bytes]:
        """The next caller, and what it said first, which is waited for."""
        line, said = self._listener.accept(_CARD.size + hello_bytes if hello_bytes else 0)
        connection = RoceConnection(line, self._adapter, self._settings, None)
        if said:
            connection.hear(said[: _CARD.size])
        return connection, said[_CARD.size :]

    def close(self) -> None:
        """Be called no more; connections stay."""
        self._listener.close()


class RoceConnection:
    """A queue pair, and the TCP connection over which it was made. Who calls has something to say
    first, `hello`; who is called, None, answers."""

    def __init__(
        self, line: TcpConnection, adapter: Adapter, settings: Settings, hello: bytes | None
    ) -> None:
        self._line = line
        self._adapter = adapter
        self._settings = settings
        self._class = 0
        device = adapter.enter()
        self._events = Events(device)
        self._room = self._make_room(calls=hello is not None)
        self._sent = Queue(device, self._room.sends, self._events)
        self._received = Queue(device, self._room.receives, self._events)
        if settings.path.window:
            (PARAMETERS / "window").write_text(str(settings.path.window))
            (PARAMETERS / "rate").write_text(str(settings.path.rate_Bps))
            (PARAMETERS / "dcqcn").write_text(str(int(settings.path.obeys)))
        self._pair = QueuePair(
            device, self._sent, self._received, self._room.sends, self._room.receives
        )
        for number in range(self._room.receives):
            self._room.offer(self._pair, number)
        self._received.arm()
        card = _CARD.pack(self._pair.number)
        self._to_say = card if hello is None else card + hello
        self._calls = hello is not None
        self._open = self._failed = False
        self._under_way: deque[int] = deque()  # requests of each message that is not acknowledged
        self._posted = 0
        self._poller = select.epoll()
        self._poller.register(self._events.fd, select.EPOLLIN)
        self._poller.register(line.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        if self._calls:
            self._say()

    def _make_room(self, *, calls: bool) -> Room:
        settings, device = self._settings, self._adapter.device
        if settings.discards:
            return Nowhere(self._adapter.nowhere, settings.depth)
        sent = 1 if settings.one_way and not calls else settings.depth
        received = 1 if settings.one_way and calls else settings.depth
        return Slots(device, sent, received)

    def fileno(self) -> int:
        """For pollers, edge-triggered: something has come, or there is room again."""
        return self._poller.fileno()

    # -- until it is open

    def _say(self) -> None:
        try:
            count = self._line.send(memoryview(self._to_say))
        except ConnectionError:
            return
        self._to_say = self._to_say[count:]

    def hear(self, card: bytes) -> None:
        """The other end's queue pair is known: connect ours with it, and answer."""
        (number,) = _CARD.unpack(card)
        settings = self._settings
        marked = Labelled(self._line.port(ours=self._calls), self._class)
        self._pair.connect(self._line.address, number, settings.path_mtu, settings.timeout, marked)
        self._open = True
        self._poller.modify(self._line.fileno(), select.EPOLLIN)
        self._say()

    def _opens(self) -> bool:
        """Whether it is open now."""
        if not self._open:
            if self._calls and self._to_say:
                self._say()
            room = memoryview(bytearray(_CARD.size))
            if self._line.receive(room) == _CARD.size:
                self.hear(bytes(room))
        return self._open

    def settle(self) -> None:
        """Wait until the other end is ready for what is sent."""
        while not self._opens():
            select.select([self._line.fileno()], [], [])

    @property
    def address(self) -> str:
        """Of the other end."""
        return self._line.address

    def met(self) -> dict[str, int]:
        """As the kernel counts it of this queue pair; nothing where it does not."""
        return pair_counts.counts(self._adapter.index, self._pair.number)

    def expedite(self) -> None:
        """All messages are small: the mark of what we send, if nothing was sent yet."""
        self._class = EXPEDITED << 2

    # -- bytes

    def send(self, data: memoryview) -> int:
        """Post as many bytes as there is room for now, as one message; how many."""
        if not self._opens() or not self._has_room():
            return 0
        size = min(len(data), self._room.piece_bytes)
        first = min(size, self._settings.path_mtu)
        region, offset = self._room.filled(data[:size])
        self._pair.send(0, region, offset, first, signaled=size == first)
        if size > first:
            self._pair.send(0, region, offset + first, size - first, signaled=True)
        self._under_way.append(1 + (size > first))
        self._posted += self._under_way[-1]
        return size

    def _has_room(self) -> bool:
        """Whether one more message may be posted; if not, there is an event when it may."""
        if self._is_full():
            self._reap()
        if self._is_full():
            self._sent.arm()
            self._reap()
        return not self._is_full()

    def _is_full(self) -> bool:
        """Whether the requests of one more message would be too many, or its bytes would be put where others are
        that may have to be sent again: small messages are one request, but have a slot each."""
        sends = self._room.sends
        return self._posted + PARTS > sends or len(self._under_way) >= sends // PARTS

    def _reap(self) -> None:
        """Take note of what is acknowledged."""
        while found := self._sent.poll():
            for completion in found:
                self._check(completion)
                self._posted -= self._under_way.popleft()

    def receive(self, room: memoryview) -> int:
        """Put what has come into `room`; how many bytes, 0 if nothing has. Raises HungUp."""
        return self._taken(len(room), room)

    def discard(self, most: int) -> int:
        """As `receive`, of bytes that nobody reads."""
        return self._taken(most, None)

    def _taken(self, most: int, into: memoryview | None) -> int:
        if not self._opens():
            return 0
        if not self._room.has_come():
            self._take()
        if not self._room.has_come():
            self._check_line()
        return self._room.taken(self._pair, most, into)

    def _take(self) -> None:
        """Take note of what has come; the next to come is an event."""
        while True:
            for completion in (found := self._received.poll()):
                self._check(completion)
                self._room.came(self._pair, completion.wr_id, completion.byte_len)
            if not found:
                if self._events.take() is None:
                    return
                self._received.arm()

    def _check_line(self) -> None:
        """Raises HungUp where the other end is gone, and nothing of it came with the news."""
        try:
            self._line.receive(memoryview(bytearray(1)))
        except HungUp:
            self._take()
            if not self._room.has_come():
                raise

    def wake_after(self, count: int) -> None:  # noqa: ARG002 (each message wakes)
        """Note what has come, though nobody takes it yet, and have the next be an event."""
        if self._opens():
            self._take()

    def _check(self, completion: Completion) -> None:
        if completion.status:
            self._failed = True
            raise ConnectionError(
                f"a queue pair to {self._line.address} failed: status {completion.status} of ibv_wc"
            )

    def close(self) -> None:
        """Hang up, once all that was sent is acknowledged."""
        while self._posted and not self._failed:
            self._sent.arm()
            try:
                self._reap()
            except ConnectionError:
                break
            if self._posted:
                select.select([self._events.fd], [], [])
                self._events.take()
        self._poller.close()
        self._line.close()
        self._pair.close()
        for queue in (self._sent, self._received):
            queue.close()
        self._events.close()
        self._room.close()
        self._adapter.leave()
