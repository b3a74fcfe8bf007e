"""Small traces to test with, written as the tools write them."""

import gzip
import json
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Number = int | float

# -- Chakra: Protocol Buffers by hand, so that the reader is not tested against itself


def varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name: str, value: int | str | float | bool) -> bytes:
    """An AttributeProto: bool 27, int64 9, string 29, double 3."""
    named = bytes_field(1, name.encode())
    if isinstance(value, bool):
        held = number_field(27, value)
    elif isinstance(value, int):
        held = number_field(9, value)
    elif isinstance(value, str):
        held = bytes_field(29, value.encode())
    else:
        held = varint(3 << 3 | 1) + struct.pack("<d", value)
    return bytes_field(10, named + held)


def chakra_node(
    key: int,
    kind: int,
    after: Sequence[int] = (),
    micros: int = 0,
    values: str = "",
    **attributes: int | str | float | bool,
) -> bytes:
    """A Node; data_deps packed, as protoc writes them."""
    message = number_field(1, key) if key else b""
    message += bytes_field(2, f"node {key}".encode()) + number_field(3, kind)
    if after:
        message += bytes_field(5, b"".join(map(varint, after)))
    message += number_field(7, micros) if micros else b""
    message += bytes_field(8, bytes_field(1, values.encode())) if values else b""
    return message + b"".join(attribute(name, value) for name, value in attributes.items())


def chakra_file(path: Path, nodes: Iterable[bytes]) -> Path:
    messages = [bytes_field(1, b"0.0.4"), *nodes]
    path.write_bytes(b"".join(varint(len(one)) + one for one in messages))
    return path


# -- Kineto


class Kineto:
    """A profile of one rank, event by event; times in microseconds."""

    def __init__(self, rank: int = 0, world: int = 2) -> None:
        self.events: list[dict[str, Any]] = []
        self.distributed = {"backend": "nccl", "rank": rank, "world_size": world}
        self.correlation = 0

    def host(self, cat: str, name: str, ts: float, dur: float = 1.0, **args: Any) -> None:
        self.events.append(
            {"ph": "X", "cat": cat, "name": name, "pid": 9, "tid": 9, "ts": ts, "dur": dur}
            | {"args": args}
        )

    def kernel(
        self, name: str, stream: int, launched: float, ts: float, dur: float, **args: Any
    ) -> None:
        self.correlation += 1
        both = {"correlation": self.correlation}
        self.host("cuda_runtime", "cudaLaunchKernel", launched, **both)
        about = {"stream": stream, "device": 0} | both | args
        self.events.append(
            {"ph": "X", "cat": "kernel", "name": name, "pid": 0, "tid": stream}
            | {"ts": ts, "dur": dur, "args": about}
        )

    def copy(self, name: str, stream: int, launched: float, ts: float, dur: float) -> None:
        self.kernel(name, stream, launched, ts, dur)
        self.events[-1]["cat"] = "gpu_memcpy"

    def all_reduce(
        self, stream: int, launched: float, ts: float, dur: float, elements: int
    ) -> None:
        about = {
            "Collective name": "allreduce",
            "In msg nelems": elements,
            "dtype": "Float",
            "Process Group Name": "0",
            "Process Group Ranks": "[0, 1]",
        }
        self.host("cpu_op", "record_param_comms", launched - 1, 3)
        self.kernel("ncclDevKernel_AllReduce_Sum_f32_RING_LL", stream, launched, ts, dur, **about)

    def save(self, path: Path) -> Path:
        document = {"distributedInfo": self.distributed, "traceEvents": self.events}
        text = json.dumps(document).encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
        return path


# -- PyTorch execution traces


def et_comm(key: int, name: str, request: int, rank: int, elements: int = 0) -> dict[str, Any]:
    """A record_param_comms node of schema 1.0.3: float tensors, the group called 0."""
    group = ["0", "default_pg"]
    tensor = [[[key, key, 0, elements, 4, "cuda:0"]]] if name != "wait" else []
    values = [*tensor, request, group, rank, name, [], [], 0, 1, 2]
    attributes = [{"name": "tid", "type": "uint64", "value": 1}]
    if elements:
        attributes += [
            {"name": "in_msg_nelems", "type": "uint64", "value": elements},
            {"name": "dtype", "type": "string", "value": "Float"},
        ]
    return {
        "id": key,
        "name": "record_param_comms",
        "ctrl_deps": 1,
        "inputs": {"values": values, "shapes": [], "types": []},
        "outputs": {"values": [], "shapes": [], "types": []},
        "attrs": attributes,
    }


def et_file(path: Path, nodes: Sequence[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"schema": "1.0.3-chakra.0.0.4", "nodes": nodes}))
    return path
