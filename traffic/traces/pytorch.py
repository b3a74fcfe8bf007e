"""PyTorch execution traces (ExecutionTraceObserver): one JSON file per rank.

They tell what is communicated, with whom, and what is waited for, but measure no time: compute is taken as
nothing. `record_param_comms` nodes are read, in the order of each thread; a collective waits for those that its
thread has waited for, and for the one before it in its group.
[torch/csrc/profiler/standalone/execution_trace_observer.cpp; c10d's RECORD_PARAM_COMMS_DATA]
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct

from traffic.traces.form import Op, TracedTransfer
from traffic.traces.json_text import decode
from traffic.traces.process_groups import ListedGroups, collective, element_bytes, strided
from traffic.traces.recording import GroupWork, RawNode, RawWork, Recording, rejected

TENSOR_FIELDS = 6  # tensor id, storage id, offset, elements, bytes of each, device


class Values(Struct):
    """Inputs or outputs, from schema 1.0.2 on."""

    values: list[Any] = []


class Attribute(Struct):
    """A named value, from schema 1.0.2 on."""

    name: str
    value: Any = None


class EtNode(Struct):
    """What is read of a node, in either schema."""

    id: int
    name: str
    inputs: Values | list[Any] = []
    outputs: Values | list[Any] = []
    attrs: list[Attribute] = []
    tid: int = 0
    rank: int | None = None

    def listed(self, of: Values | list[Any]) -> list[Any]:
        """Inputs or outputs as a list."""
        return of.values if isinstance(of, Values) else of

    def said(self, name: str) -> Any:
        """An attribute's value, or None."""
        return next((one.value for one in self.attrs if one.name == name), None)


class TraceFile(Struct):
    """A file."""

    schema: str
    nodes: list[EtNode]


def read_execution_trace(file: Path, data: bytes) -> Recording:
    """An execution trace. Raises InvalidInput."""
    document = decode(data, TraceFile, file)
    found = Recording(file, f"PyTorch execution trace {document.schema}")
    found.note("execution traces measure no time: compute is taken as nothing")
    groups = ListedGroups(found)
    waited: dict[int, list[int]] = {}
    requests: dict[Any, int] = {}
    ranks: Counter[int] = Counter()
    names = _Names()
    for node in sorted(document.nodes, key=lambda node: node.id):
        if "process_group:init" in node.name:
            _list(node, groups)
        elif node.name == "record_param_comms":
            call = _Call(node)
            before = waited.setdefault(call.thread, [])
            if call.name == "wait":
                before += [requests[call.request]] if call.request in requests else []
                found.kept["waits"] += 1
                continue
            work = _work(call, names.of(call.group), groups, found)
            requests[call.request] = node.id
            ranks.update(call.own_rank)
            found.nodes.append(RawNode(node.id, call.name, work, list(before), "host"))
        else:
            found.ignored["operators (no time is measured)"] += 1
    if not document.nodes:
        raise rejected(file, "the trace has no nodes")
    found.rank = ranks.most_common(1)[0][0] if ranks else None
    return found


class _Call:
    """The arguments of record_param_comms: [tensors,] request, group, rank, name, splits in and out,
    and from 2.3 on the group's first rank, stride and size."""

    def __init__(self, node: EtNode) -> None:
        inputs = node.listed(node.inputs)
        names = [index for index, one in enumerate(inputs) if isinstance(one, str)]
        self.node = node
        at = names[0] if names else len(inputs)
        before, self.after = inputs[:at], inputs[at + 1 :]
        self.name = inputs[at] if names else ""
        self.tensors = before[0] if len(before) == 4 else []
        request, self.group, self.peer = _last_three(before)
        self.request = request if isinstance(request, int | str) else None
        thread = node.said("tid")
        self.thread = thread if isinstance(thread, int) else node.tid

    @property
    def own_rank(self) -> list[int]:
        """This process's rank, of the calls that say it there (others say a root or a peer)."""
        said = collective(self.name) in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
        return [self.peer] if said and isinstance(self.peer, int) and self.peer >= 0 else []

    @property
    def in_splits(self) -> list[int]:
        """Elements for each rank, of an all-to-all of uneven parts."""
        splits = self.after[0] if self.after else []
        whole = isinstance(splits, list) and all(isinstance(one, int) for one in splits)
        return splits if whole else []

    @property
    def ranks(self) -> tuple[int, ...]:
        """The group's ranks where the call says them."""
        numbers = self.after[2:5]
        return strided(*numbers) if len(numbers) == 3 else ()


class _Names:
    """Names of groups that are the same in all processes. Older traces name a group by a number that
    only its process knows; the first that is met is then the first of all, and so on."""

    def __init__(self) -> None:
        self.numbers: dict[int, str] = {}

    def of(self, group: Any) -> str:
        """The name of a group as a call has it, newer ones with a description beside it."""
        if isinstance(group, int):
            return self.numbers.setdefault(group, f"#{len(self.numbers)}")
        return str(group[0] if isinstance(group, list) and group else group or "")


def _last_three(before: list[Any]) -> list[Any]:
    return ([None, None, None, *before])[-3:]


def _work(call: _Call, group: str, groups: ListedGroups, found: Recording) -> RawWork:
    name = call.name.lower()
    size, dtype = _tensor_bytes(call)
    if name.startswith(("send", "recv")) and isinstance(call.peer, int):
        found.kept["transfers"] += 1
        ranks = call.ranks or groups.ranks.get(group, ())
        peer = ranks[call.peer] if call.peer in range(len(ranks)) else call.peer
        return TracedTransfer("send" if name.startswith("send") else "recv", peer, size)
    op = collective(name)
    if op is None:
        found.ignored[f"record_param_comms of {call.name or 'no name'}"] += 1
        return None
    found.kept["collectives"] += 1
    rooted = op in ("broadcast", "reduce") and isinstance(call.peer, int)
    root = max(call.peer, 0) if rooted else 0
    return GroupWork(op, size, groups.of(group, call.ranks), dtype, root, _sends(call, op, size))


def _sends(call: _Call, op: Op, size: int) -> tuple[int, ...]:
    elements = sum(call.in_splits)
    if op != "all_to_all" or not elements:
        return ()
    return tuple(size * one // elements for one in call.in_splits)


def _tensor_bytes(call: _Call) -> tuple[int, str]:
    """Bytes of the input tensors and the type of their elements."""
    elements, dtype = call.node.said("in_msg_nelems"), call.node.said("dtype")
    if isinstance(elements, int) and isinstance(dtype, str) and element_bytes(dtype):
        return elements * (element_bytes(dtype) or 0), dtype
    return sum(_bytes_of(call.tensors)), str(dtype or "")


def _bytes_of(listed: Any) -> list[int]:
    """Of each tensor in a nested list of them."""
    if not isinstance(listed, list):
        return []
    if len(listed) == TENSOR_FIELDS and isinstance(listed[3], int) and isinstance(listed[4], int):
        return [listed[3] * listed[4] if min(listed[3:5]) >= 0 else -1]
    return [size for one in listed for size in _bytes_of(one)]


def _list(node: EtNode, groups: ListedGroups) -> None:
    for value in node.listed(node.inputs):
        if isinstance(value, str):
            groups.read(value)
        else:
            groups.take(value)
