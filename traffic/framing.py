"""How a transport cuts messages into packets, and what each packet costs on a wire. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.plan.types import ETHERNET_HEADER, TCP_IP_HEADERS, Plan, PlannedHost
from scenario.types.topology import Transport

TCP = Transport("tcp")
ROCE_HEADERS = 20 + 8 + 12 + 4  # IPv4, UDP, base transport header, invariant CRC [InfiniBand A17]
ROCE_MTUS = (256, 512, 1024, 2048, 4096)
"""Payloads of a full packet that InfiniBand knows."""
ROCE_ROOM = 80
"""Bytes of headers that the largest of its packets may have: rdma_rxe takes no larger payload."""


@dataclass(frozen=True)
class Framing:
    """`payload_bytes` of a full packet, and `header_bytes` of every one, the Ethernet header among them.
    Acknowledgements of what comes in take `acknowledged_share` of what a NIC sends."""

    payload_bytes: int
    header_bytes: int
    acknowledged_share: float

    @property
    def frame_bytes(self) -> int:
        """A full packet on a wire."""
        return self.payload_bytes + self.header_bytes

    @property
    def payload_share(self) -> float:
        """Payload of a full packet / what it takes on a wire."""
        return self.payload_bytes / self.frame_bytes

    def pace_Bps(self, host: PlannedHost) -> float:
        """Payload per second that a host's NIC has room for, beside acknowledgements of all that may
        come in meanwhile."""
        return host.nic_bps / 8 * self.payload_share * (1 - self.acknowledged_share)

    def on_wire_bytes(self, payload_bytes: int) -> int:
        """A message with the headers of its packets."""
        return payload_bytes + -(-payload_bytes // self.payload_bytes) * self.header_bytes


def framing(plan: Plan, transport: Transport) -> Framing:
    """That of a transport on a plan's fabric. TCP acknowledges every packet, as packets as large as these do not
    come in twos; a queue pair one in 64 at most, which is left out."""
    if transport.kind == "roce":
        return Framing(roce_payload_bytes(plan), ETHERNET_HEADER + ROCE_HEADERS, 0.0)
    headers = ETHERNET_HEADER + TCP_IP_HEADERS
    return Framing(plan.mtu_bytes - TCP_IP_HEADERS, headers, headers / plan.frame_bytes)


def roce_payload_bytes(plan: Plan) -> int:
    """The largest payload whose packets fit. Raises ValueError where none does."""
    fitting = [size for size in ROCE_MTUS if size + ROCE_ROOM <= plan.mtu_bytes]
    if not fitting:
        raise ValueError(f"an mtu of {plan.mtu_bytes} has no room for a packet of RoCE")
    return fitting[-1]
