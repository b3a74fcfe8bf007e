"""Chakra nodes in JSON as Chakra's feeder takes them: one object with a `workload_graph`.

Its node types are numbers, its durations microseconds. [mlcommons/chakra, src/feeder/json_node.cpp]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from traffic.traces.chakra import Attribute, ChakraNode, recording
from traffic.traces.json_text import decode
from traffic.traces.recording import Recording


class FeederNode(Struct):
    """What is read of a node."""

    id: int = field(name="Id")
    name: str = field(name="Name", default="")
    type: int = field(name="NodeType", default=0)
    data_deps: list[int] = []
    runtime: Annotated[float, Meta(ge=0, le=1e15)] = 0
    is_cpu_op: bool = False
    comm_type: int | None = None
    comm_size: int | None = None
    comm_src: int | None = None
    comm_dst: int | None = None
    comm_tag: int | None = None
    pg_name: str | None = None


class FeederFile(Struct):
    """A file."""

    workload_graph: list[FeederNode]


def read_feeder_json(file: Path, data: bytes) -> Recording:
    """A trace with a `workload_graph`. Raises InvalidInput."""
    document = decode(data, FeederFile, file)
    return recording(file, "Chakra JSON", [_node(one) for one in document.workload_graph])


def _node(one: FeederNode) -> ChakraNode:
    said: dict[str, Attribute | None] = {
        "is_cpu_op": int(one.is_cpu_op),
        "comm_type": one.comm_type,
        "comm_size": one.comm_size,
        "comm_src": one.comm_src,
        "comm_dst": one.comm_dst,
        "comm_tag": one.comm_tag,
        "pg_name": one.pg_name,
    }
    attributes = {name: value for name, value in said.items() if value is not None}
    return ChakraNode(one.id, one.name, one.type, one.data_deps, round(one.runtime), "", attributes)
