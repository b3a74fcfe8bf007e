"""A probe's datagram as scapy knows it: made here, once for each way, and dissected in captures.

Importing scapy takes half a second, and it makes some thousand packets per second: hosts are handed
the finished bytes, and write only number and time into them (`form.STAMP`).
"""

from __future__ import annotations

from scapy.fields import IntField, LongField, XIntField
from scapy.layers.inet import IP, UDP
from scapy.packet import Packet, bind_layers

from traffic.oneway.form import MARK, PORT


class OneWay(Packet):  # type: ignore[misc]
    """What a probe carries: see `traffic.oneway.form`."""

    name = "OneWay"
    fields_desc = (
        XIntField("mark", MARK),
        IntField("way", 0),
        IntField("sequence", 0),
        LongField("sent_ns", 0),
    )


bind_layers(UDP, OneWay, sport=PORT, dport=PORT)


def datagram(source: str, sink: str, way: int) -> bytes:
    """An IPv4 packet of a way, its number and time still zero. It has no UDP checksum, which would be of
    those too [RFC 768: zero means none]."""
    layers = IP(src=source, dst=sink, id=way) / UDP(sport=PORT, dport=PORT, chksum=0)
    return bytes(layers / OneWay(way=way))
