"""libibverbs, as much of it as a reliable connection needs: queue pairs, registered memory, completions.

A binding by ctypes: hosts have the standard library alone, and the structures are libibverbs' stable ABI
[rdma-core, libibverbs/verbs.h, IBVERBS_1.1]. Posting and polling are functions of the device's driver, in the
context's table of operations. Nothing is kept alive by itself: close what is opened, in reverse order.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char,
    c_int,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
    sizeof,
)
from functools import cache
from ipaddress import IPv4Address
from typing import Any, NamedTuple

from traffic.host.ports import flow_label

LIBRARY = "libibverbs.so.1"
DRIVER = "rxe"
"""Of Soft-RoCE, whose devices have its name and a number."""
PORT = 1
GID_INDEX = 0
"""Of a host's IPv4 address."""
MTUS = {256: 1, 512: 2, 1024: 3, 2048: 4, 4096: 5}
_RC = 2
_INIT, _RTR, _RTS = 1, 2, 3
_STATE, _ACCESS, _PKEY_INDEX, _PORT, _AV, _PATH_MTU = (1 << bit for bit in (0, 3, 4, 5, 7, 8))
_TIMEOUT, _RETRIES, _RNR_RETRIES, _RQ_PSN = (1 << bit for bit in (9, 10, 11, 12))
_RD_ATOMIC, _RNR_TIMER, _SQ_PSN, _DEST_RD_ATOMIC, _DEST_QPN = (
    1 << bit for bit in (13, 15, 16, 17, 20)
)
_LOCAL_WRITE = 1
_SEND = 2  # IBV_WR_SEND
_SIGNALED = 2
_FOR_EVER = 7
_RETRY_COUNT = 7
_HOPS = 64


class _Route(Structure):
    _fields_ = (
        ("dgid", c_uint64 * 2), ("flow_label", c_uint32), ("sgid_index", c_uint8),
        ("hop_limit", c_uint8), ("traffic_class", c_uint8),
    )  # fmt: skip


class _Address(Structure):
    _fields_ = (
        ("grh", _Route), ("dlid", c_uint16), ("sl", c_uint8), ("src_path_bits", c_uint8),
        ("static_rate", c_uint8), ("is_global", c_uint8), ("port_num", c_uint8),
    )  # fmt: skip


class _Capacity(Structure):
    _fields_ = tuple(
        (name, c_uint32) for name in ("send_wr", "recv_wr", "send_sge", "recv_sge", "inline_data")
    )


class _QueuePairInit(Structure):
    _fields_ = (
        ("context", c_void_p), ("send_cq", c_void_p), ("recv_cq", c_void_p), ("srq", c_void_p),
        ("cap", _Capacity), ("qp_type", c_int), ("sq_sig_all", c_int),
    )  # fmt: skip


class _QueuePairAttributes(Structure):
    _fields_ = (
        ("state", c_int), ("cur_state", c_int), ("path_mtu", c_int), ("path_mig_state", c_int),
        ("qkey", c_uint32), ("rq_psn", c_uint32), ("sq_psn", c_uint32), ("dest_qpn", c_uint32),
        ("access", c_int), ("cap", _Capacity), ("ah", _Address), ("alt_ah", _Address),
        ("pkey_index", c_uint16), ("alt_pkey_index", c_uint16),
        *((name, c_uint8) for name in (
            "en_sqd_async_notify", "sq_draining", "max_rd_atomic", "max_dest_rd_atomic",
            "min_rnr_timer", "port_num", "timeout", "retry_cnt", "rnr_retry", "alt_port_num",
            "alt_timeout",
        )),
        ("rate_limit", c_uint32),
    )  # fmt: skip


class _Piece(Structure):
    _fields_ = (("addr", c_uint64), ("length", c_uint32), ("lkey", c_uint32))


class _SendRequest(Structure):
    _fields_ = (
        ("wr_id", c_uint64), ("next", c_void_p), ("sg_list", POINTER(_Piece)), ("num_sge", c_int),
        ("opcode", c_int), ("flags", c_int), ("imm_data", c_uint32), ("rest", c_uint64 * 11),
    )  # fmt: skip


class _ReceiveRequest(Structure):
    _fields_ = (
        ("wr_id", c_uint64), ("next", c_void_p), ("sg_list", POINTER(_Piece)), ("num_sge", c_int),
    )  # fmt: skip


class Completion(Structure):
    """What became of a request, `ibv_wc`."""

    _fields_ = (
        ("wr_id", c_uint64), ("status", c_int), ("opcode", c_int), ("vendor_err", c_uint32),
        ("byte_len", c_uint32), ("imm_data", c_uint32), ("qp_num", c_uint32),
        ("src_qp", c_uint32), ("wc_flags", c_int), ("pkey_index", c_uint16), ("slid", c_uint16),
        ("sl", c_uint8), ("dlid_path_bits", c_uint8),
    )  # fmt: skip

    wr_id: int
    status: int
    byte_len: int


class _Operations(Structure):
    _fields_ = (
        ("_", c_void_p * 11),
        ("poll_cq", CFUNCTYPE(c_int, c_void_p, c_int, POINTER(Completion))),
        ("req_notify_cq", CFUNCTYPE(c_int, c_void_p, c_int)),
        ("__", c_void_p * 12),
        ("post_send", CFUNCTYPE(c_int, c_void_p, POINTER(_SendRequest), POINTER(c_void_p))),
        ("post_recv", CFUNCTYPE(c_int, c_void_p, POINTER(_ReceiveRequest), POINTER(c_void_p))),
    )  # fmt: skip


class _Context(Structure):
    _fields_ = (("device", c_void_p), ("ops", _Operations))


class _Region(Structure):
    _fields_ = (
        ("context", c_void_p), ("pd", c_void_p), ("addr", c_void_p), ("length", c_size_t),
        ("handle", c_uint32), ("lkey", c_uint32), ("rkey", c_uint32),
    )  # fmt: skip


class _Channel(Structure):
    _fields_ = (("context", c_void_p), ("fd", c_int), ("refcnt", c_int))


class _QueuePair(Structure):
    _fields_ = (
        ("context", c_void_p), ("qp_context", c_void_p), ("pd", c_void_p), ("send_cq", c_void_p),
        ("recv_cq", c_void_p), ("srq", c_void_p), ("handle", c_uint32), ("qp_num", c_uint32),
    )  # fmt: skip


@cache
def library() -> Any:
    """libibverbs. Raises OSError where it is not installed."""
    found = ctypes.CDLL(LIBRARY, use_errno=True)
    found.ibv_get_device_name.restype = ctypes.c_char_p
    for name, restype, *arguments in (
        ("ibv_get_device_list", POINTER(c_void_p), POINTER(c_int)),
        ("ibv_free_device_list", None, POINTER(c_void_p)),
        ("ibv_open_device", POINTER(_Context), c_void_p),
        ("ibv_close_device", c_int, POINTER(_Context)),
        ("ibv_alloc_pd", c_void_p, POINTER(_Context)),
        ("ibv_dealloc_pd", c_int, c_void_p),
        ("ibv_reg_mr", POINTER(_Region), c_void_p, c_void_p, c_size_t, c_int),
        ("ibv_dereg_mr", c_int, POINTER(_Region)),
        ("ibv_create_comp_channel", POINTER(_Channel), POINTER(_Context)),
        ("ibv_destroy_comp_channel", c_int, POINTER(_Channel)),
        ("ibv_create_cq", c_void_p, POINTER(_Context), c_int, c_void_p, POINTER(_Channel), c_int),
        ("ibv_destroy_cq", c_int, c_void_p),
        ("ibv_get_cq_event", c_int, POINTER(_Channel), POINTER(c_void_p), POINTER(c_void_p)),
        ("ibv_ack_cq_events", None, c_void_p, ctypes.c_uint),
        ("ibv_create_qp", POINTER(_QueuePair), c_void_p, POINTER(_QueuePairInit)),
        ("ibv_modify_qp", c_int, POINTER(_QueuePair), POINTER(_QueuePairAttributes), c_int),
        ("ibv_destroy_qp", c_int, POINTER(_QueuePair)),
    ):  # fmt: skip
        function = getattr(found, str(name))
        function.restype, function.argtypes = restype, arguments
    return found


def _made(what: Any, name: str) -> Any:
    """Raises OSError where a function has given back nothing."""
    if not what:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return what


def _done(status: int, name: str) -> None:
    if status:
        raise OSError(abs(status), f"{name}: {os.strerror(abs(status))}")


def _named(device: int) -> str:
    return str(library().ibv_get_device_name(c_void_p(device)).decode())


class Device:
    """A host's adapter, opened."""

    def __init__(self) -> None:
        verbs = library()
        count = c_int()
        devices = _made(verbs.ibv_get_device_list(byref(count)), "ibv_get_device_list")
        try:
            found = (one for one in devices[: count.value] if _named(one).startswith(DRIVER))
            own = next(found, None)
            if own is None:
                raise OSError(0, "this host has no device of Soft-RoCE")
            self.name = _named(own)
            self.context = _made(verbs.ibv_open_device(own), "ibv_open_device")
        finally:
            verbs.ibv_free_device_list(devices)
        self.domain = _made(verbs.ibv_alloc_pd(self.context), "ibv_alloc_pd")
        operations = self.context.contents.ops
        self.poll_cq, self.req_notify_cq = operations.poll_cq, operations.req_notify_cq
        self.post_send, self.post_recv = operations.post_send, operations.post_recv

    def register(self, memory: memoryview) -> Region:
        """Pin memory so that the adapter may read and write it."""
        return Region(self, memory)

    def close(self) -> None:
        """Let go of the adapter."""
        library().ibv_dealloc_pd(self.domain)
        library().ibv_close_device(self.context)


class Region:
    """Registered memory."""

    def __init__(self, device: Device, memory: memoryview) -> None:
        self.memory = memory
        self.address = ctypes.addressof(c_char.from_buffer(memory))
        self._handle = _made(
            library().ibv_reg_mr(device.domain, self.address, len(memory), _LOCAL_WRITE),
            "ibv_reg_mr",
        )
        self.key: int = self._handle.contents.lkey

    def close(self) -> None:
        """Unpin it."""
        library().ibv_dereg_mr(self._handle)


class Queue:
    """A completion queue, whose events make a file descriptor readable."""

    def __init__(self, device: Device, depth: int, channel: Events) -> None:
        self._device = device
        self._poll = device.poll_cq
        self._found = (Completion * 64)()
        self.handle = _made(
            library().ibv_create_cq(device.context, depth, None, channel.handle, 0), "ibv_create_cq"
        )

    def poll(self) -> list[Completion]:
        """What has completed: as much as comes at once."""
        count = self._poll(self.handle, len(self._found), self._found)
        return self._found[:count]

    def arm(self) -> None:
        """Let the next completion be an event."""
        _done(self._device.req_notify_cq(self.handle, 0), "ibv_req_notify_cq")

    def close(self) -> None:
        """Give it back; its events must have been taken."""
        library().ibv_destroy_cq(self.handle)


class Events:
    """A completion channel."""

    def __init__(self, device: Device) -> None:
        self.handle = _made(
            library().ibv_create_comp_channel(device.context), "ibv_create_comp_channel"
        )
        self.fd: int = self.handle.contents.fd
        os.set_blocking(self.fd, False)

    def take(self) -> int | None:
        """The completion queue of an event that has come, if one has."""
        queue, context = c_void_p(), c_void_p()
        if library().ibv_get_cq_event(self.handle, byref(queue), byref(context)):
            return None
        library().ibv_ack_cq_events(queue, 1)
        return queue.value

    def close(self) -> None:
        """Give it back."""
        library().ibv_destroy_comp_channel(self.handle)


class Labelled(NamedTuple):
    """What packets have beside addresses: the port that they leave from, 49152 or more, and their class, which 0
    leaves to the kernel."""

    port: int
    traffic_class: int = 0


class QueuePair:
    """A reliable connection with one other queue pair."""

    def __init__(
        self, device: Device, sent: Queue, received: Queue, send_depth: int, receive_depth: int
    ) -> None:
        self._device = device
        self._piece = _Piece()
        self._send = _SendRequest(
            sg_list=ctypes.pointer(self._piece), num_sge=1, opcode=_SEND, flags=0
        )
        self._receive = _ReceiveRequest(sg_list=ctypes.pointer(self._piece), num_sge=1)
        self._bad = c_void_p()
        wanted = _QueuePairInit(
            send_cq=sent.handle, recv_cq=received.handle, qp_type=_RC,
            cap=_Capacity(send_depth, receive_depth, 1, 1, 0),
        )  # fmt: skip
        self._handle = _made(library().ibv_create_qp(device.domain, byref(wanted)), "ibv_create_qp")
        self.number: int = self._handle.contents.qp_num
        self._modify(_STATE | _PKEY_INDEX | _PORT | _ACCESS, state=_INIT, port_num=PORT, access=0)

    def connect(
        self, address: str, number: int, path_mtu: int, timeout: int, marked: Labelled
    ) -> None:
        """Ready to receive from, and to send to, queue pair `number` at an IPv4 address. An
        acknowledgement is waited for 4.096 µs × 2^timeout."""
        gid = b"\0" * 10 + b"\xff\xff" + IPv4Address(address).packed
        route = _Route(
            (c_uint64 * 2).from_buffer_copy(gid), flow_label(marked.port), GID_INDEX, _HOPS,
            marked.traffic_class,
        )  # fmt: skip
        self._modify(
            _STATE | _AV | _PATH_MTU | _DEST_QPN | _RQ_PSN | _DEST_RD_ATOMIC | _RNR_TIMER,
            state=_RTR, path_mtu=MTUS[path_mtu], dest_qpn=number, rq_psn=0, max_dest_rd_atomic=1,
            min_rnr_timer=1, ah=_Address(grh=route, is_global=1, port_num=PORT),
        )  # fmt: skip
        self._modify(
            _STATE | _TIMEOUT | _RETRIES | _RNR_RETRIES | _SQ_PSN | _RD_ATOMIC,
            state=_RTS, timeout=timeout, retry_cnt=_RETRY_COUNT, rnr_retry=_FOR_EVER, sq_psn=0,
            max_rd_atomic=1,
        )  # fmt: skip

    def _modify(self, mask: int, **values: object) -> None:
        wanted = _QueuePairAttributes(**values)
        _done(library().ibv_modify_qp(self._handle, byref(wanted), mask), "ibv_modify_qp")

    def send(self, number: int, region: Region, offset: int, size: int, *, signaled: bool) -> None:
        """Post a message; its completion, where there is to be one, names `number`."""
        self._point(region, offset, size)
        self._send.wr_id = number
        self._send.flags = _SIGNALED if signaled else 0
        _done(
            self._device.post_send(self._handle, byref(self._send), byref(self._bad)), "post_send"
        )

    def receive(self, number: int, region: Region, offset: int, size: int) -> None:
        """Post room for a message."""
        self._point(region, offset, size)
        self._receive.wr_id = number
        _done(
            self._device.post_recv(self._handle, byref(self._receive), byref(self._bad)),
            "post_recv",
        )

    def _point(self, region: Region, offset: int, size: int) -> None:
        self._piece.addr = region.address + offset
        self._piece.length = size
        self._piece.lkey = region.key

    def close(self) -> None:
        """Give it back; what is under way is lost."""
        library().ibv_destroy_qp(self._handle)


SIZES = {
    "ibv_send_wr": sizeof(_SendRequest), "ibv_recv_wr": sizeof(_ReceiveRequest),
    "ibv_wc": sizeof(Completion), "ibv_qp_attr": sizeof(_QueuePairAttributes),
    "ibv_qp_init_attr": sizeof(_QueuePairInit), "ibv_ah_attr": sizeof(_Address),
}  # fmt: skip
"""Of the structures, as this module has them."""
OFFSETS = {
    "poll_cq": _Context.ops.offset + _Operations.poll_cq.offset,
    "req_notify_cq": _Context.ops.offset + _Operations.req_notify_cq.offset,
    "post_send": _Context.ops.offset + _Operations.post_send.offset,
    "post_recv": _Context.ops.offset + _Operations.post_recv.offset,
}
"""Of the driver's functions in an ibv_context."""
