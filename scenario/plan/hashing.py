"""Which of several equal ways a connection takes: a hash of its addresses, its protocol and its ports.

Switches are told to choose so (OpenFlow 1.5 with Open vSwitch's `selection_method=hash`), and here the same
choice is made without a switch: the plan says which way every connection takes. Each switch has a key of its
own, made from the seed, as an operator's hash seed is: a choice is not repeated at the next switch.

Open vSwitch feeds the fields to MurmurHash3's rounds and takes the live bucket with the highest score, so
where a bucket goes, only its own connections move. [Appleby, MurmurHash3; Thaler & Ravishankar, Using
Name-Based Mappings to Increase Hit Rates, 1998; ovs-ofctl(8), "selection_method"]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

TCP, UDP = 6, 17
_32, _64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True)
class FiveTuple:
    """What the hash sees of a connection, one way: IPv4 addresses as text, ports of TCP or UDP."""

    source: str
    sink: str
    source_port: int
    sink_port: int
    protocol: int = TCP

    def fields(self) -> tuple[bytes, ...]:
        """The fields as they are on the wire."""
        addresses = [bytes(map(int, text.split("."))) for text in (self.source, self.sink)]
        ports = [port.to_bytes(2, "big") for port in (self.source_port, self.sink_port)]
        return (*addresses, bytes([self.protocol]), *ports)


def key(seed: int, switch: int) -> int:
    """The hash key of a switch, by its datapath id: 64 bits. [splitmix64: Steele, Lea, Flood 2014]"""
    mixed = (seed * 0x9E3779B97F4A7C15 + switch * 0xD1B54A32D192ED03) & _64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _64
    return mixed ^ (mixed >> 31)


def chosen(of: int, connection: FiveTuple, live: Iterable[int]) -> int:
    """The bucket that a switch with key `of` takes for a connection, among those that are `live`."""
    basis = _basis(of, connection)
    return max(live, key=lambda bucket: (_two(bucket, basis) & 0xFFFF, bucket))


@lru_cache(maxsize=65536)
def _basis(of: int, connection: FiveTuple) -> int:
    basis = _finish(_add(_add(0, of & _32), of >> 32), 8)
    for field in connection.fields():
        basis = _bytes(field, basis)
    return basis


def _bytes(data: bytes, basis: int) -> int:
    for start in range(0, len(data), 4):
        basis = _add(basis, int.from_bytes(data[start : start + 4], "little"))
    return _finish(basis, len(data))


def _two(one: int, other: int) -> int:
    return _finish(_add(_add(one, 0), other), 8)


def _add(hashed: int, data: int) -> int:
    data = _turned(data * 0xCC9E2D51 & _32, 15) * 0x1B873593 & _32
    return (_turned(hashed ^ data, 13) * 5 + 0xE6546B64) & _32


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _32


def _finish(hashed: int, length: int) -> int:
    hashed ^= length
    hashed = (hashed ^ hashed >> 16) * 0x85EBCA6B & _32
    hashed = (hashed ^ hashed >> 13) * 0xC2B2AE35 & _32
    return hashed ^ hashed >> 16
