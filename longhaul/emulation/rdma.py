"""All that is said to the kernel's RDMA subsystem: a device per host, and how Soft-RoCE behaves.

Messages are RDMA netlink's. [include/uapi/rdma/rdma_netlink.h] Devices are Soft-RoCE (`rxe`) or Soft-iWARP (`siw`),
each over a host's interface and in its network namespace. Needs CAP_NET_ADMIN, and a kernel with the patches in
`longhaul/machine/patches` for devices in namespaces.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from longhaul.emulation.netlink import entered
from scenario.plan.types import PlannedRdma

NETLINK_RDMA = 20
_ACKNOWLEDGED_REQUEST = 0x1 | 0x4  # NLM_F_REQUEST | NLM_F_ACK
_NLMSG_ERROR = 2
_NLDEV = 5 << 10
_NEW_LINK = _NLDEV | 3
_SET_SYSTEM = _NLDEV | 7
_DEVICE_NAME, _INTERFACE_NAME, _LINK_TYPE, _NAMESPACES = 2, 51, 65, 66
_EXCLUSIVE = 0
_ANSWER_BYTES = 4096

QUEUED_PACKETS = 4
"""Of a queue pair in its adapter's queue: enough to keep that busy. What waits there after a loss is sent in vain."""
ROCE_DSCP = 26
"""As adapters have it: class 3 of the switches' eight."""
PARAMETERS = Path("/sys/module/rdma_rxe/parameters")
NO_DEFAULT_GIDS = Path("/sys/module/ib_core/parameters/no_default_gids")


def available() -> bool:
    """Whether this kernel has Soft-RoCE as it is needed here: with a window that can be set."""
    return (PARAMETERS / "window").exists()


def isolate() -> None:
    """From now on, a namespace sees the devices in it and no others, and a device's first GID is its interface's
    first address. Raises OSError where there are namespaces."""
    NO_DEFAULT_GIDS.write_text("1", encoding="utf-8")
    _ask(_SET_SYSTEM, _attribute(_NAMESPACES, bytes([_EXCLUSIVE])))


def add_devices(interfaces: Mapping[str, int], kinds: Iterable[str]) -> None:
    """A device of each kind over each interface, `rxe0` and `siw0` everywhere; before Linux 7.3, where a name is taken
    in all namespaces once it is in one, `rxe0`, `rxe1` and so on in the order of interfaces.

    `interfaces` maps each to a process in its namespace. Raises OSError.
    """
    for number, (interface, pid) in enumerate(interfaces.items()):
        with entered(pid):
            for kind in kinds:
                _add_device(kind, number, interface)


def _add_device(kind: str, number: int, interface: str) -> None:
    try:
        _add_named(f"{kind}0", kind, interface)
    except OSError as error:
        if error.errno != errno.ENFILE:  # as the kernel says that a name is taken
            raise
        _add_named(f"{kind}{number}", kind, interface)


def _add_named(name: str, kind: str, interface: str) -> None:
    words = ((_DEVICE_NAME, name), (_LINK_TYPE, kind), (_INTERFACE_NAME, interface))
    _ask(_NEW_LINK, b"".join(_attribute(key, word.encode() + b"\0") for key, word in words))


def set_up(wanted: PlannedRdma) -> None:
    """Set Soft-RoCE's parameters, for queue pairs made from now on."""
    parameters = {
        "window": wanted.window_packets,
        "queued": QUEUED_PACKETS,
        "icrc": int(wanted.checked),
        "tos": ROCE_DSCP << 2,
        "dcqcn": int(wanted.congestion in ("dcqcn", "split")),
        "raise_bytes": wanted.byte_counter,
    }
    for name, value in parameters.items():
        (PARAMETERS / name).write_text(str(value))


def _attribute(key: int, value: bytes) -> bytes:
    padding = b"\0" * (-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), key) + value + padding


def _ask(command: int, attributes: bytes) -> None:
    """One request in our own namespace. Raises OSError as the kernel answers."""
    header = struct.pack("=IHHII", 16 + len(attributes), command, _ACKNOWLEDGED_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_RDMA) as sock:
        sock.send(header + attributes)
        answer = sock.recv(_ANSWER_BYTES)
    _length, kind, _flags, _sequence, _pid, error = struct.unpack_from("=IHHIIi", answer)
    if kind == _NLMSG_ERROR and error:
        raise OSError(-error, f"RDMA netlink: {os.strerror(-error)}")
