"""ASTRA-sim's workload text, and SimAI's: one file for all ranks, a layer a line.

A layer has compute and a collective in each of three passes: forward, input gradient, weight gradient. Order
and groups follow ASTRA-sim's training loop and, for HYBRID_TRANSFORMER, SimAI's (pipelines' bubbles and messages,
which SimAI adds by a formula, are not in the text and not replayed).
[astra-sim, workload/Workload.cc; SimAI, MockNcclGroup.cc; chakra, text_converter.py]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from traffic.traces.checking import MOST_RANKS, whole
from traffic.traces.form import Compute, Op
from traffic.traces.recording import GroupKey, GroupWork, RawNode, RawWork, Recording, rejected

TRANSFORMER = ("HYBRID_TRANSFORMER", "HYBRID_TRANSFORMER_FWD_IN_BCKWD")
PLAIN = ("DATA", "MODEL", "MICRO")
KNOWN = (*PLAIN, *TRANSFORMER)
OPS: dict[str, Op] = {
    "ALLREDUCE": "all_reduce",
    "ALLGATHER": "all_gather",
    "REDUCESCATTER": "reduce_scatter",
    "ALLTOALL": "all_to_all",
}
COLUMNS = "name, -1, then time, collective and bytes of each of three passes, update time"
MOST_NODES = 400_000
LEAST_BYTES = 4096  # SimAI sends no less in a transformer's forward pass


@dataclass(frozen=True)
class Phase:
    """One pass of a layer: nanoseconds, the collective as spelled, its bytes."""

    ns: int
    collective: str
    size_bytes: int


@dataclass(frozen=True)
class Layer:
    """A line."""

    name: str
    forward: Phase
    input_gradient: Phase
    weight_gradient: Phase


@dataclass(frozen=True)
class Head:
    """The first line: the parallelism and its numbers; layers by index for recomputation."""

    policy: str
    numbers: dict[str, int]
    checkpoints: frozenset[int]
    recompute: frozenset[int]

    def number(self, name: str) -> int:
        """A number that is at least 1."""
        return max(self.numbers.get(name, 1), 1)


def read_text(file: Path, data: bytes) -> Recording:
    """A workload text. Raises InvalidInput with line and column."""
    lines = data.decode("utf-8", "replace").splitlines()
    if not lines[0].strip():
        raise rejected(file, "the first line is empty", expected=", ".join(KNOWN))
    head = _head(file, lines[0].split())
    layers = _layers(file, lines, head)
    found = Recording(file, f"ASTRA-sim text, {head.policy}", everybody=True)
    if head.policy in TRANSFORMER:
        _parallelism(file, head, found)
    groups = _Groups(head, found.world)
    _Loop(found, groups, head, layers).run()
    return found


def _parallelism(file: Path, head: Head, found: Recording) -> None:
    stages = head.number("pp")
    total = head.numbers.get("all_gpus", 0)
    shards = head.number("model_parallel_NPU_group")
    if total > MOST_RANKS:
        raise rejected(file, f"{total} GPUs", path="all_gpus", expected=f"at most {MOST_RANKS}")
    if total % (stages * shards * head.number("ep")) or total < 1:
        raise rejected(
            file, "all_gpus cannot be divided among pipeline stages, shards and experts",
            found=f"all_gpus {total}, pp {stages}, model_parallel_NPU_group {shards}, ep {head.number('ep')}",
        )  # fmt: skip
    found.world = total // stages
    if stages > 1:
        found.note(
            f"one of {stages} pipeline stages: {found.world} of {total} ranks; bubbles and messages"
            " between stages are not replayed"
        )


def _head(file: Path, words: list[str]) -> Head:
    if words[0] not in KNOWN:
        raise rejected(
            file, "a parallelism that is not replayed", found=words[0], expected=", ".join(KNOWN)
        )
    numbers: dict[str, int] = {}
    listed: dict[str, frozenset[int]] = {}
    at = 1
    while at + 1 < len(words):
        name, value = words[at].rstrip(":"), words[at + 1]
        number = whole(value)
        if number is None:
            raise rejected(file, f"{name} is not followed by a number", found=value)
        if name in numbers:
            raise rejected(file, f"{name} is there twice", found=value)
        numbers[name] = number
        at += 2
        if name in ("checkpoints", "checkpoint_initiates"):
            indices = words[at : at + numbers[name]]
            layers = [whole(one) for one in indices]
            if len(indices) < numbers[name] or None in layers:
                raise rejected(file, f"{name} are not followed by so many layers", found=value)
            listed[name] = frozenset(one for one in layers if one is not None)
            at += numbers[name]
    none: frozenset[int] = frozenset()
    return Head(
        words[0], numbers, listed.get("checkpoints", none), listed.get("checkpoint_initiates", none)
    )


def _layers(file: Path, lines: list[str], head: Head) -> list[Layer]:
    count = lines[1].strip() if len(lines) > 1 else ""
    layers = whole(count) or 0
    if not layers:
        raise rejected(
            file, "the second line is not the number of layers", found=count, place=(2, 1)
        )
    written = [(number, line) for number, line in enumerate(lines[2:], 3) if line.strip()]
    if len(written) < layers:
        raise rejected(
            file, "the text ends before its last layer", place=(len(lines), 1),
            found=f"{len(written)} layers", expected=f"{layers} layers",
        )  # fmt: skip
    # Times are nanoseconds in SimAI, microseconds where Chakra's converter reads the text.
    unit_ns = 1 if head.policy in TRANSFORMER else 1000
    return [_layer(file, *one, unit_ns) for one in written[:layers]]


def _layer(file: Path, number: int, line: str, unit_ns: int) -> Layer:
    words = line.split()
    if len(words) < 12:
        raise rejected(
            file, "a layer has too few columns", place=(number, 1),
            found=f"{len(words)} columns", expected=f"12: {COLUMNS}",
        )  # fmt: skip
    phases = []
    for first in (2, 5, 8):
        time, name, size = words[first : first + 3]
        ns, size_bytes = whole(time), whole(size)
        if ns is None or size_bytes is None:
            wrong = time if ns is None else size
            raise rejected(file, "not a number", place=(number, line.index(wrong) + 1), found=wrong)
        if name != "NONE" and name.split("_")[0] not in OPS:
            known = ", ".join(["NONE", *OPS])
            raise rejected(
                file, "unknown collective", place=(number, line.index(name) + 1), found=name,
                expected=f"{known}, or one of them with _EP or _DP_EP",
            )  # fmt: skip
        phases.append(Phase(ns * unit_ns, name, size_bytes))
    return Layer(words[0], *phases)


class _Groups:
    """Which ranks communicate in each pass, as rank 0 sees it; the others' groups follow by shifting."""

    def __init__(self, head: Head, world: int | None) -> None:
        self.whole = world is None
        if self.whole:
            return
        shards, experts = head.number("model_parallel_NPU_group"), head.number("ep")
        data = (world or shards) // shards
        self.ranks = {
            "TP": tuple(range(shards)),
            "DP": tuple(range(0, data * shards, shards)),
            "EP": tuple(range(0, experts * shards, shards)),
            "DP_EP": tuple(range(0, data * shards, experts * shards)),
        }

    def of(self, collective: str, default: str) -> GroupKey:
        """The group of a collective such as ALLTOALL_EP."""
        if self.whole:
            return GroupKey("")
        name = collective.partition("_")[2] or default
        return GroupKey(name, self.ranks.get(name, self.ranks[default]))


class _Loop:
    """One training step, node by node: `at` is what the next node waits for."""

    def __init__(self, found: Recording, groups: _Groups, head: Head, layers: list[Layer]) -> None:
        self.found = found
        self.groups = groups
        self.head = head
        self.layers = layers
        self.at: list[int] = []

    def run(self) -> None:
        """Add all nodes to the recording."""
        if self.head.policy == "MICRO":
            for layer in self.layers:
                self._weight_gradient(layer)
            return
        for layer in self.layers:
            self._forward(layer)
        for index in reversed(range(len(self.layers))):
            for again in self._recomputed(index):
                self._forward(again)
            self._backward(self.layers[index])

    def _forward(self, layer: Layer) -> None:
        self.at = self._work(layer, "forward", layer.forward, "TP")

    def _backward(self, layer: Layer) -> None:
        """Data parallelism knows the weights' gradients first; the others follow SimAI's loop."""
        if self.head.policy == "DATA":
            self._weight_gradient(layer)
        self.at = self._work(layer, "input", layer.input_gradient, "TP")
        if self.head.policy != "DATA":
            self._weight_gradient(layer)

    def _weight_gradient(self, layer: Layer) -> None:
        """What sums the weights' gradients holds nobody up."""
        self._work(layer, "weight", layer.weight_gradient, "DP")

    def _recomputed(self, index: int) -> Iterator[Layer]:
        """The layers from the last checkpoint on, where a layer's backward pass needs them again."""
        if index in self.head.recompute:
            first = max((one for one in self.head.checkpoints if one < index), default=0)
            yield from self.layers[first:index]

    def _work(self, layer: Layer, phase: str, work: Phase, group: str) -> list[int]:
        """Compute, then the collective; returns what to wait for to have the collective done."""
        name = f"{layer.name} {phase}"
        self.at = [self._add(name, Compute(work.ns))]
        self.found.kept["compute"] += 1
        if work.collective == "NONE" or not work.size_bytes:
            return self.at
        self.found.kept["collectives"] += 1
        return [self._add(name, self._collective(work, group, phase))]

    def _collective(self, work: Phase, group: str, phase: str) -> GroupWork:
        transformer = self.head.policy in TRANSFORMER
        least = LEAST_BYTES if transformer and phase == "forward" else 0
        op = OPS[work.collective.split("_")[0]]
        key = self.groups.of(work.collective, group)
        return GroupWork(op, max(work.size_bytes, least), key, whole=transformer)

    def _add(self, name: str, work: RawWork) -> int:
        """A node that waits for what the next node waits for."""
        if len(self.found.nodes) >= MOST_NODES:
            raise rejected(
                self.found.file, f"more than {MOST_NODES:,} pieces of work", path=name,
                hint="layers that are computed again from a checkpoint count each time",
            )  # fmt: skip
        self.found.nodes.append(RawNode(len(self.found.nodes), name, work, [*self.at]))
        return len(self.found.nodes) - 1
