"""What a queue pair has met, as the kernel counts it: asked of RDMA netlink. Standard library alone.

Soft-RoCE answers with attributes of its own (longhaul/machine/patches/65-rxe-counts.patch), as `rdma resource show
qp -d` prints them. [include/uapi/rdma/rdma_netlink.h]
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from traffic.host.verbs import PORT

NETLINK_RDMA = 20
_REQUEST, _DUMP = 0x1, 0x300
_NLDEV = 5 << 10
_DEVICES, _PAIR = _NLDEV | 1, _NLDEV | 10
_INDEX, _NAME, _PORT, _NUMBER, _OWN, _OWN_NAME, _OWN_U64 = 1, 2, 3, 21, 52, 54, 59
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_NESTED = 0x3FFF
_ANSWER_BYTES = 16384
_ERROR, _DONE = 2, 3


def device_index(name: str) -> int:
    """The number that RDMA netlink knows a device by. Raises LookupError."""
    for answer in _asked(_DEVICES, b"", _DUMP):
        found = dict(_attributes(answer))
        if found.get(_NAME, b"").rstrip(b"\0") == name.encode():
            return int(struct.unpack("=I", found[_INDEX])[0])
    raise LookupError(f"there is no device {name}")


def counts(device: int, number: int) -> dict[str, int]:
    """Of the queue pair of that number: by name; empty where the driver counts nothing."""
    asked = _attribute(_INDEX, device) + _attribute(_PORT, PORT) + _attribute(_NUMBER, number)
    found: dict[str, int] = {}
    for answer in _asked(_PAIR, asked, 0):
        own = dict(_attributes(answer)).get(_OWN, b"")
        name = ""
        for kind, value in _attributes(own):
            if kind == _OWN_NAME:
                name = value.rstrip(b"\0").decode()
            elif kind == _OWN_U64:
                found[name] = int(struct.unpack("=Q", value)[0])
    return found


def _attribute(kind: int, value: int) -> bytes:
    return struct.pack("=HHI", 8, kind, value)


def _asked(command: int, attributes: bytes, flags: int) -> Iterator[bytes]:
    """The attributes of each message of the answer; none of one that says no."""
    size = _HEADER.size + len(attributes)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_RDMA) as sock:
        sock.send(_HEADER.pack(size, command, _REQUEST | flags, 1, 0) + attributes)
        while True:
            answer = sock.recv(_ANSWER_BYTES)
            while answer:
                length, kind, *_ = _HEADER.unpack_from(answer)
                if kind in (_ERROR, _DONE):
                    return
                yield answer[_HEADER.size : length]
                answer = answer[_aligned(length) :]
            if not flags & _DUMP:
                return


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _NESTED, data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3
