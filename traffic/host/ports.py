"""Where a connection leaves from: source ports by rule, so that a plan knows which way switches' hashes send it.

Left to the kernel, a port depends on what the machine has done before. These are drawn by a hash from a range of
their own, beyond those that the kernel hands out, as scattered as a cluster's are. Standard library alone.
"""

from __future__ import annotations

import socket
import zlib

PORT = 29500
"""At which a rank of training is called: as torchrun has it."""
FIRST, COUNT = 61_000, 4_000
"""Beyond net.ipv4.ip_local_port_range, 32768 to 60999; and among those that RoCE's packets may leave from."""
ROCE_PORT = 4791
"""At which packets of RoCE arrive. [InfiniBand A17]"""
_LABELS = 1 << 14


def source_port(source: str, sink: str, port: int, number: int = 0) -> int:
    """Of the connection from one address to a port of another that is the `number`th of its kind, from 0 on."""
    drawn = zlib.crc32(f"{source} {sink} {port}".encode())
    return FIRST + (drawn + number) % COUNT


def flow_label(port: int) -> int:
    """With which a queue pair's packets leave from a port, 49152 or more: its lower 14 bits. Neither it nor those bits
    are 0, which would leave the choice to the kernel. [rdma_flow_label_to_udp_sport]"""
    return port % _LABELS


def leave_by_rule(sock: socket.socket, sink: str, port: int, number: int = 0) -> None:
    """Bind a socket that will connect there. Others may leave from the same port, to elsewhere."""
    source = own_address(sink, port)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((source, source_port(source, sink, port, number)))


def own_address(sink: str, port: int) -> str:
    """The address that packets to there leave with. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((sink, port))
        address: str = asked.getsockname()[0]
        return address
