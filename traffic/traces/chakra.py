"""MLCommons Chakra execution traces: a file per rank, as Protocol Buffers or as JSON.

Read are a node's id, name, type, data_deps, duration_micros, and the attributes that say what is
communicated; the rest is passed over. Order comes from data_deps alone, as in Chakra's feeder: ctrl_deps name
the caller. [mlcommons/chakra, schema/protobuf/et_def.proto]

ASTRA-sim's custom collectives are such traces, of sends and receives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, ValidationError, convert, field

from traffic.traces.checking import whole
from traffic.traces.form import Compute, Op, TracedTransfer
from traffic.traces.json_text import mistyped
from traffic.traces.process_groups import ListedGroups
from traffic.traces.protobuf import Malformed, Value, delimited, fields, integers, text
from traffic.traces.recording import GroupWork, RawNode, RawWork, Recording, rejected

METADATA, LOAD, STORE, COMP, SEND, RECV, COLLECTIVE = range(1, 8)
TYPES = {
    "METADATA_NODE": METADATA,
    "MEM_LOAD_NODE": LOAD,
    "MEM_STORE_NODE": STORE,
    "COMP_NODE": COMP,
    "COMM_SEND_NODE": SEND,
    "COMM_RECV_NODE": RECV,
    "COMM_COLL_NODE": COLLECTIVE,
}
OPS: dict[int, Op] = {
    0: "all_reduce", 1: "reduce", 2: "all_gather", 5: "broadcast", 6: "all_to_all", 7: "reduce_scatter",
    8: "reduce_scatter", 9: "barrier",
}  # fmt: skip
# Numbers of fields: of a Node, and of an AttributeProto.
_ID, _NAME, _TYPE, _DATA_DEPS, _DURATION, _INPUTS, _ATTR = 1, 2, 3, 5, 7, 8, 10
_ATTR_NAME = 1
_TEXTS = {29, 31}

Attribute: TypeAlias = "int | str"


class ChakraNode(Struct):
    """What is read of a node; `values` are its inputs' values, of metadata alone."""

    key: int = 0
    name: str = ""
    type: int = 0
    after: list[int] = []
    micros: int = 0
    values: str = ""
    attributes: dict[str, Attribute] = {}

    @property
    def lists_groups(self) -> bool:
        """Whether it says which ranks process groups have."""
        tells = "process_group" in self.name or "pg_name" in self.values
        return self.type == METADATA and tells

    def number(self, name: str, default: int = 0) -> int:
        """An attribute as an integer."""
        value = self.attributes.get(name, default)
        if isinstance(value, int):
            return value
        number = whole(value)
        return default if number is None else number


def read_protobuf(file: Path, data: bytes) -> Recording:
    """A binary trace. Raises InvalidInput with the offset of what is malformed."""
    nodes = []
    begin = 0
    try:
        for index, (start, message) in enumerate(delimited(data)):
            begin = start
            if index:  # the first is the GlobalMetadata
                nodes.append(_node(message))
    except Malformed as error:
        where = f"in the message at byte {begin}, byte {error.at} of it"
        raise rejected(
            file, f"no Chakra trace: {error}", found=where,
            expected="messages of the Chakra schema, each after its length",
        ) from None  # fmt: skip
    return recording(file, "Chakra", nodes)


def recording(file: Path, format_: str, nodes: Iterable[ChakraNode]) -> Recording:
    """A rank's nodes in the terms of all formats. Raises InvalidInput for what makes no sense."""
    found = Recording(file, format_)
    groups = ListedGroups(found)
    seen: set[int] = set()
    for node in nodes:
        if node.key in seen:
            raise rejected(
                file, "two nodes have the same id", path=f"node {node.key}", found=node.name
            )
        seen.add(node.key)
        if node.lists_groups:
            groups.read(node.values)
        work = _work(node, groups, found)
        found.nodes.append(
            RawNode(node.key, node.name, work, list(node.after), _stream(node, work))
        )
    if not found.nodes:
        raise rejected(file, "the trace has no nodes")
    return found


def _work(node: ChakraNode, groups: ListedGroups, found: Recording) -> RawWork:
    if node.type not in range(METADATA, COLLECTIVE + 1):
        found.ignored[f"nodes of unknown type {node.type}"] += 1
        return None
    if node.type == METADATA:
        found.ignored["metadata nodes"] += 1
        return None
    if node.type in (LOAD, STORE) and not node.micros:
        found.ignored["memory nodes without a duration"] += 1
        return None
    if node.type in (SEND, RECV, COLLECTIVE) and not node.number("is_cpu_op"):
        return _communication(node, groups, found)
    found.kept["compute"] += 1
    return Compute(node.micros * 1000)


def _communication(node: ChakraNode, groups: ListedGroups, found: Recording) -> RawWork:
    if "comm_size" not in node.attributes and node.number("comm_type") != 9:
        found.ignored["communication without comm_size"] += 1
        return None
    size = node.number("comm_size")
    if node.type != COLLECTIVE:
        send = node.type == SEND
        peer = "comm_dst" if send else "comm_src"
        if peer not in node.attributes:
            raise rejected(
                found.file, f"a transfer without {peer}", path=f"node {node.key}", found=node.name
            )
        found.kept["sends" if send else "receives"] += 1
        return TracedTransfer(
            "send" if send else "recv", node.number(peer), size, node.number("comm_tag")
        )
    kind = node.number("comm_type", -1)
    if kind not in OPS:
        found.ignored[f"collectives of type {kind} (gather, scatter or unknown)"] += 1
        return None
    found.kept["collectives"] += 1
    return GroupWork(OPS[kind], size, groups.of(str(node.attributes.get("pg_name", ""))))


def _stream(node: ChakraNode, work: RawWork) -> str:
    """One GPU and one CPU per rank, as in ASTRA-sim; a GPU's own streams where they are named."""
    if isinstance(work, Compute) and not node.number("is_cpu_op"):
        return f"stream {node.number('stream')}" if "stream" in node.attributes else "gpu"
    return "cpu"


def _node(message: bytes) -> ChakraNode:
    node = ChakraNode()
    inputs = b""
    for number, wire, value in fields(message):
        if number == _ID and isinstance(value, int):
            node.key = value
        elif number == _NAME:
            node.name = text(value)
        elif number == _TYPE and isinstance(value, int):
            node.type = value
        elif number == _DATA_DEPS:
            node.after += integers(wire, value)
        elif number == _DURATION and isinstance(value, int):
            node.micros = value
        elif number == _INPUTS and isinstance(value, bytes):
            inputs = value
        elif number == _ATTR and isinstance(value, bytes):
            node.attributes |= _attribute(value)
    if node.type == METADATA:
        node.values = next((text(v) for number, _, v in fields(inputs) if number == 1), "")
    return node


def _attribute(message: bytes) -> dict[str, Attribute]:
    name, found = "", None
    for number, _, value in fields(message):
        if number == _ATTR_NAME:
            name = text(value)
        elif number > 2:
            found = _attribute_value(number, value)
    return {name: found} if found is not None else {}


def _attribute_value(number: int, value: Value) -> Attribute | None:
    """Integers and texts; floats and lists say nothing that is read here."""
    if number in _TEXTS:
        return text(value)
    return value if isinstance(value, int) and number > 6 else None


class JsonInputs(Struct):
    """What is read of a node's inputs."""

    values: str = ""


class JsonNode(Struct, rename="camel"):
    """A node in the JSON form of Protocol Buffers, whose 64-bit numbers are texts."""

    id: int = 0
    name: str = ""
    type: str | int = 0
    data_deps: list[int] = []
    duration_micros: int = 0
    inputs: JsonInputs = field(default_factory=JsonInputs)
    attr: list[dict[str, Any]] = []


def from_jsonizer(file: Path, documents: Iterator[Any]) -> Recording:
    """What `chakra_jsonizer` prints: one JSON object after another, the metadata first."""
    nodes = [_from_object(one, index, file) for index, one in enumerate(documents) if index]
    return recording(file, "Chakra JSON", nodes)


def _from_object(document: object, index: int, file: Path) -> ChakraNode:
    try:
        one = convert(document, JsonNode, strict=False)
    except ValidationError as error:
        raise mistyped(error, file, f"object {index}") from None
    kind = one.type if isinstance(one.type, int) else TYPES.get(one.type, 0)
    return ChakraNode(
        one.id, one.name, kind, one.data_deps, one.duration_micros,
        one.inputs.values, dict(_attributes_of(one.attr)),
    )  # fmt: skip


def _attributes_of(listed: list[dict[str, Any]]) -> Iterator[tuple[str, Attribute]]:
    for one in listed:
        for key, value in one.items():
            if key in ("name", "docString") or not isinstance(value, str | int):
                continue
            number = whole(value) if isinstance(value, str) and key != "stringVal" else None
            yield str(one.get("name", "")), value if number is None else number
