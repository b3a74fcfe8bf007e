"""Every kind of input: good ones to begin with, and what longhaul does with a bad one.

`answer(seed, folder)` makes the input of that seed, gives it to longhaul, and returns the complaint; or what was
read, in short. It raises nothing but what is a defect.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import yaml

from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.study.loading import load_study
from scenario.text.diagnostics import InvalidInput
from scenario.workload.schedule import load_schedule
from tests.fuzz import mutating
from tests.traces import making
from traffic.traces.account import account
from traffic.traces.assembling import assemble
from traffic.traces.reading import read_all
from traffic.traces.storing import load

ROOT = Path(__file__).parents[2]


HALVES = b"""longhaul: 1
name: halves
kind: schedule
op: all_reduce
ranks: 2
chunks: 2
steps:
  - [{from: 0, to: 1, chunk: 1, do: reduce}, {from: 1, to: 0, chunk: 0, do: reduce}]
  - [{from: 0, to: 1, chunk: 0, count: 1, into: 0}, {from: 1, to: 0, chunk: 1}]
"""


class Kind(Protocol):
    """A kind of input."""

    def answer(self, seed: int, folder: Path) -> str: ...


class Traces:
    """Files for `longhaul import`; what their names begin with says which importer reads them."""

    def __init__(self, importer: str = "") -> None:
        every = [*_json_traces(), *_binary_traces(), *_texts()]
        self.seeds = [(name, good) for name, good in every if name.startswith(importer)]

    def answer(self, seed: int, folder: Path) -> str:
        chance = random.Random(seed)
        name, good = chance.choice(self.seeds)
        data = good if isinstance(good, bytes) else b""
        if not isinstance(good, bytes):
            data = mutating.as_json(mutating.changed(good, chance))
        if isinstance(good, bytes) or chance.random() < 0.1:
            data = mutating.damaged(data, chance)
        file = folder / name
        file.write_bytes(mutating.packed(data, chance))
        return _complaint(lambda: account(assemble(read_all([file]))))


class Stored:
    """Traces as `longhaul import` stores them, edited by hand."""

    def __init__(self) -> None:
        node = {"name": "a", "after": [], "stream": "gpu", "work": {"kind": "compute", "ns": 5}}
        both = {"kind": "collective", "op": "all_reduce", "size_bytes": 8, "group": 0}
        send = {"kind": "transfer", "direction": "send", "peer": 1, "size_bytes": 9, "tag": 0}
        recv = {"kind": "transfer", "direction": "recv", "peer": 0, "size_bytes": 9, "tag": 0}
        nodes = [node] + [node | {"after": [0], "work": work} for work in (both, send, recv)]
        self.good = {
            "longhaul_trace": 1, "groups": [[0, 1]], "nodes": nodes, "ranks": [[0, 1, 2], [0, 1, 3]],
        }  # fmt: skip

    def answer(self, seed: int, folder: Path) -> str:
        chance = random.Random(seed)
        data = mutating.as_json(mutating.changed(self.good, chance))
        if chance.random() < 0.2:
            data = mutating.damaged(data, chance)
        file = folder / "stored.trace.json.gz"
        file.write_bytes(mutating.packed(data, chance))
        return _complaint(lambda: load(file))


def _text(tree: object) -> str:
    """As YAML. What is refused for its size anyway is written as JSON, in a tenth of the time: it is the answer's that
    is limited."""
    text = json.dumps(tree, ensure_ascii=False, default=str)
    return text if len(text) > 2_000_000 else yaml.safe_dump(tree, sort_keys=False)


class Documents:
    """YAML files of one sort."""

    def __init__(self, texts: list[bytes], read: Callable[[Path], object]) -> None:
        self.read = read
        self.texts = texts
        self.trees = [yaml.safe_load(text) for text in self.texts]

    def answer(self, seed: int, folder: Path) -> str:
        chance = random.Random(seed)
        file = folder / "input.yaml"
        if chance.random() < 0.7:
            tree = mutating.changed(chance.choice(self.trees), chance)
            file.write_bytes(_text(tree).encode("utf-8", "surrogatepass"))
        else:
            file.write_bytes(mutating.damaged(chance.choice(self.texts), chance))
        return _complaint(lambda: self.read(file))


class Plans:
    """Topologies that are mostly well formed, planned: what stands under a key is another file's, or a thousand times
    as much."""

    def __init__(self) -> None:
        self.trees = [yaml.safe_load(text) for text in _files("topologies/*.yaml")]
        self.known: dict[str, list[Any]] = {}
        for holder, key in (place for tree in self.trees for place in _keyed(tree)):
            self.known.setdefault(str(key), []).append(holder[key])

    def answer(self, seed: int, folder: Path) -> str:
        chance = random.Random(seed)
        tree = copy.deepcopy(chance.choice(self.trees))
        for _ in range(chance.choice((1, 1, 2, 3))):
            holder, key = chance.choice(_keyed(tree))
            other = copy.deepcopy(chance.choice(self.known[str(key)]))
            holder[key] = mutating.more(other, chance) if chance.random() < 0.5 else other
        file = folder / "input.yaml"
        file.write_text(_text(tree))
        return _complaint(lambda: make_plan(load_topology(file)))


def _keyed(tree: Any) -> list[tuple[Any, Any]]:
    return [place for place in mutating.places(tree) if isinstance(place[0], dict)]


class Defective:
    """What the trials must find: a traceback, too much memory, too long, an answer with an escape sequence."""

    def answer(self, seed: int, folder: Path) -> str:  # noqa: ARG002 (as all kinds have it)
        if seed == 0:
            return str(1 // seed)
        if seed == 1:
            return str(len(bytes(2_000_000_000)))
        while seed == 2:
            pass
        return "\x1b[31m"


def topologies() -> Kind:
    return Documents(_files("topologies/*.yaml"), load_topology)


def workloads() -> Kind:
    return Documents(_files("traffic/workloads/*.yaml"), load_workload)


def studies() -> Kind:
    return Documents(_files("studies/*.yaml"), load_study)


def schedules() -> Kind:
    return Documents([HALVES], load_schedule)


def _files(pattern: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted(ROOT.glob(pattern))]


IMPORTERS = ("kineto", "pytorch", "chakra", "feeder", "astra-sim", "simai")
KINDS: dict[str, Callable[[], Kind]] = {
    "traces": Traces,
    **{name: partial(Traces, name) for name in IMPORTERS},
    "stored": Stored,
    "topologies": topologies,
    "plans": Plans,
    "workloads": workloads,
    "studies": studies,
    "schedules": schedules,
    "defective": Defective,
}


def _complaint(read: Callable[[], object]) -> str:
    try:
        read()
    except InvalidInput as error:
        return str(error)
    return ""


def _json_traces() -> list[tuple[str, Any]]:
    profile = making.Kineto()
    for at in (5, 50):
        profile.host("cpu_op", "ProfilerStep#1", at - 4, 30)
        profile.kernel("gemm", 7, at, at + 2, 9)
        profile.all_reduce(20, at + 1, at + 10, 20, elements=7)
    kineto = {"distributedInfo": profile.distributed, "traceEvents": profile.events}
    init = {"id": 1, "name": "## process_group:init ##", "inputs": {"values": [
        '[{"pg_name": "0", "pg_desc": "default_pg", "ranks": [0, 1], "group_size": 2}]',
    ]}}  # fmt: skip
    nodes = [init, making.et_comm(2, "allreduce", 3, 0, 64), making.et_comm(3, "wait", 3, 0)]
    nodes += [making.et_comm(4, "all_to_allv", 4, 0, 8), making.et_comm(5, "send", 5, 1, 8)]
    et = {"schema": "1.0.3-chakra.0.0.4", "nodes": nodes}
    graph = [
        {"Id": 1, "Name": "a", "NodeType": 4, "runtime": 5, "data_deps": []},
        {"Id": 2, "Name": "b", "NodeType": 7, "data_deps": [1], "comm_type": 0, "comm_size": 64},
        {"Id": 3, "Name": "c", "NodeType": 7, "data_deps": [2], "comm_type": 6, "comm_size": 64, "pg_name": "0"},
    ]  # fmt: skip
    return [
        ("kineto.0.json", kineto),
        ("pytorch.0.json", et),
        ("feeder.0.json", {"workload_graph": graph}),
    ]


def _binary_traces() -> list[tuple[str, bytes]]:
    groups = '[{"pg_name": "0", "ranks": [0, 1]}]'
    nodes = [
        making.chakra_node(1, 1, values=groups),
        making.chakra_node(2, 4, after=[1], micros=7),
        making.chakra_node(3, 7, after=[2], comm_type=0, comm_size=9, pg_name="0"),
        making.chakra_node(4, 7, after=[3], comm_type=6, comm_size=64),
    ]
    messages = [making.bytes_field(1, b"0.0.4"), *nodes]
    data = b"".join(making.varint(len(one)) + one for one in messages)
    printed = (ROOT / "tests/traces/bad/chakra-json-id.json").read_bytes()
    return [("chakra.0.et", data), ("chakra.1.json", printed)]


def _texts() -> list[tuple[str, bytes]]:
    transformer = (
        b"HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 2 ep: 1 pp: 1 vpp: 1 ga: 1 all_gpus: 4"
        b" checkpoints: 1 0 checkpoint_initiates: 1 1\n2\n"
        b"a -1 5 ALLGATHER 4096 5 REDUCESCATTER 4096 5 NONE 0 10\n"
        b"b -1 5 ALLREDUCE 4096 5 NONE 0 5 ALLREDUCE_DP_EP 99999 10\n"
    )
    data = b"DATA\n1\nconv -1 5 NONE 0 5 NONE 0 5 ALLREDUCE 1024 3\n"
    return [("simai.txt", transformer), ("astra-sim.txt", data)]
