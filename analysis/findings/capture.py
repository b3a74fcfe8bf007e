"""What a packet capture says of each TCP stream: retransmissions, bytes in flight, round trips, one-way delay.

In: a pcap or pcapng file, or two, from both ends of a path whose clocks agree (in virtual time they do). Out: a row per
stream and direction. Dissected with scapy, a packet at a time, so captures of any size fit.

`python -m analysis capture CAPTURE [OTHER-END]` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from analysis.errors import RunError

WRAP = 2**32


class Key(NamedTuple):
    """One direction of a TCP stream."""

    src: str
    src_port: int
    dst: str
    dst_port: int

    @property
    def back(self) -> Key:
        """The other direction."""
        return Key(self.dst, self.dst_port, self.src, self.src_port)

    def __str__(self) -> str:
        return f"{self.src}:{self.src_port} → {self.dst}:{self.dst_port}"


@dataclass
class TcpStream:
    """One direction of a stream as seen at one place. Sequence numbers count from the first one seen.

    `rtts_s`: from a segment to the acknowledgement that covers it, segments sent once only [Karn & Partridge 1987].
    `seen_s`: when each segment (by its first byte and length) first passed.
    """

    packets: int = 0
    payload_bytes: int = 0
    retransmitted: int = 0
    retransmitted_bytes: int = 0
    most_in_flight: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    rtts_s: list[float] = field(default_factory=list)
    seen_s: dict[tuple[int, int], float] = field(default_factory=dict)
    _base: int | None = None
    _next: int = 0
    _acknowledged: int = 0
    _waiting: dict[int, float] = field(default_factory=dict)

    def sent(self, at_s: float, sequence: int, length: int) -> None:
        """Take a segment of this direction into account."""
        if self._base is None:
            self._base, self.first_s = sequence, at_s
        self.packets += 1
        self.last_s = at_s
        if not length:
            return
        begin = self._unwrapped(sequence)
        self.payload_bytes += length
        if begin < self._next:
            self.retransmitted += 1
            self.retransmitted_bytes += min(length, self._next - begin)
            self._waiting.pop(begin + length, None)
        else:
            self._waiting[begin + length] = at_s
        self.seen_s.setdefault((begin, length), at_s)
        self._next = max(self._next, begin + length)
        self.most_in_flight = max(self.most_in_flight, self._next - self._acknowledged)

    def acknowledged(self, at_s: float, number: int) -> None:
        """Take an acknowledgement of this direction's bytes into account."""
        if self._base is None:
            return
        upto = self._unwrapped(number)
        if upto <= self._acknowledged or upto > self._next:
            return
        if upto in self._waiting:
            self.rtts_s.append(at_s - self._waiting[upto])
        for end in [end for end in self._waiting if end <= upto]:
            del self._waiting[end]
        self._acknowledged = upto

    def _unwrapped(self, sequence: int) -> int:
        """Bytes since the first sequence number, past its wrapping at 2^32."""
        assert self._base is not None
        near = self._next - self._next % WRAP + (sequence - self._base) % WRAP
        return min((near - WRAP, near, near + WRAP), key=lambda one: abs(one - self._next))

    def as_dict(self, key: Key) -> dict[str, Any]:
        """Figures of the stream; seconds and bytes."""
        return {
            "stream": str(key),
            "packets": self.packets,
            "payload_bytes": self.payload_bytes,
            "retransmitted": self.retransmitted,
            "retransmitted_bytes": self.retransmitted_bytes,
            "most_in_flight_bytes": self.most_in_flight,
            "rtt_median_s": median(self.rtts_s) if self.rtts_s else None,
            "rtt_least_s": min(self.rtts_s, default=None),
            "lasted_s": self.last_s - self.first_s,
        }


def streams(path: Path) -> dict[Key, TcpStream]:
    """Every direction of every TCP stream in a capture. Raises RunError where it cannot be read."""
    found: dict[Key, TcpStream] = {}
    for at_s, key, sequence, acknowledges, length in _segments(path):
        found.setdefault(key, TcpStream()).sent(at_s, sequence, length)
        if acknowledges is not None and key.back in found:
            found[key.back].acknowledged(at_s, acknowledges)
    return found


def one_way_s(here: TcpStream, there: TcpStream) -> list[float]:
    """How long each segment took from one place of capture to the other; those seen once only at each."""
    return [there.seen_s[one] - at_s for one, at_s in here.seen_s.items() if one in there.seen_s]


def _segments(path: Path) -> Iterator[tuple[float, Key, int, int | None, int]]:
    """Time, direction, sequence number, acknowledged number if any, payload length of each segment."""
    # scapy takes a second to import.
    from scapy.error import Scapy_Exception  # noqa: PLC0415
    from scapy.layers.inet import IP, TCP  # noqa: PLC0415
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415
    from scapy.layers.l2 import Ether  # noqa: F401, PLC0415
    from scapy.utils import PcapReader  # noqa: PLC0415

    try:
        with PcapReader(str(path)) as packets:
            for packet in packets:
                ip = packet.getlayer(IP) or packet.getlayer(IPv6)
                tcp = packet.getlayer(TCP)
                if ip is None or tcp is None:
                    continue
                key = Key(ip.src, tcp.sport, ip.dst, tcp.dport)
                syn, ack = bool(tcp.flags & 2), bool(tcp.flags & 16)
                length = _payload_bytes(ip, tcp)
                yield float(packet.time), key, tcp.seq + syn, tcp.ack if ack else None, length
    except (OSError, EOFError, Scapy_Exception) as error:
        raise RunError(f"{path}: not readable as a packet capture: {error}") from None


def _payload_bytes(ip: Any, tcp: Any) -> int:
    """By the headers, as a capture may have cut the packet short."""
    whole = ip.len - 4 * ip.ihl if ip.version == 4 else ip.plen
    return int(whole) - 4 * int(tcp.dataofs)
