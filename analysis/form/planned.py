"""What the analysis reads of `plan.json`, as types; and that its parts agree on names.

In: the file of a run folder, which may be somebody else's. Out: the same as plain data, once all that is read of it is
known to be there and of its kind; `RunError` with the place, where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct, field

from analysis.errors import RunError
from analysis.form.files import read

Number: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Amount: TypeAlias = Annotated[float, Meta(ge=0)]
Scale: TypeAlias = Annotated[float, Meta(gt=0)]


class _Host(Struct):
    rank: Number
    name: str
    campus: str
    leaf: str
    accelerator: str
    gpus: Number = 1
    nic_bps: Amount = 0.0
    flops: Amount = 0.0
    peak_flops: Amount = 0.0


class _Probe(Struct):
    name: str
    campus: str


class _Switch(Struct):
    name: str
    role: str


class _FabricLink(Struct):
    a: str
    b: str
    rate_bps: Amount
    delay_s: Amount


class _Campus(Struct):
    name: str
    site: str
    kind: str
    border: str
    switches: list[_Switch]
    fabric_links: list[_FabricLink]
    hosts: list[_Host]
    latitude: float | None = None
    longitude: float | None = None
    site_w: Amount | None = None
    compute_usd_per_s: Amount | None = None
    usd_per_kwh: Amount | None = None


class _Queue(Struct):
    limit_packets: Number
    loss: Amount = 0.0
    loss_correlation: Amount = 0.0


class _Shape(_Queue, kw_only=True):
    rate_bps: Scale
    delay_s: Amount
    jitter_s: Amount = 0.0
    corruption: Amount = 0.0
    reorder: Amount = 0.0
    duplicate: Amount = 0.0


class _Link(Struct):
    name: str
    a: str
    b: str
    distance_m: Amount
    forward: _Shape
    backward: _Shape
    age_s: Amount | None = 0.0
    condition: str | None = None
    rate_share: Amount = 1.0
    members: Number = 1
    packets_per_bdp: Amount | None = None


class _End(Struct):
    node: str
    interface: str
    port: Number
    shape: _Queue


class _Wire(Struct):
    name: str
    kind: str
    a: _End
    b: _End
    bundle: str | None = None


class _Path(Struct):
    links: list[str]
    share: Amount


class _Way(Struct):
    source: str
    sink: str
    paths: list[_Path]


class _Prediction(Struct):
    iteration_s: Amount | None = None
    ideal_iteration_s: Amount | None = None
    collective_s: Amount | None = None
    textbook_s: Amount | None = None


class _Collective(Struct):
    op: str
    algorithm: str
    size_bytes: Amount
    tasks: list[Number]
    ranks: Number


class _Choice(Struct):
    switch: str
    of: list[str]
    took: str


class _Connection(Struct):
    source: str = field(name="from")
    sink: str = field(name="to")
    channel: Number
    bytes: Amount
    choices: list[_Choice]


class _EqualWays(Struct):
    connections: list[_Connection]
    iteration_s: Scale | None
    dealt_out_s: Amount | None


class _Proportion(Struct):
    kappa: Amount
    full_kappa: Amount
    scale_hosts: Amount
    flops: Amount
    tokens: Amount
    thinnest_bps: Amount
    needed_bps: Amount
    says: str


class _Price(Struct):
    amount: Amount
    currency: str


class _Workload(Struct, tag_field="kind"):
    name: str


class _Training(_Workload, tag="training"):
    ranks: list[Number]
    iterations: Number
    size_bytes: Amount
    op: str = "all_reduce"
    algorithm: str = ""
    warmup: Number = 0
    parameters: Amount = 0.0
    tokens: Amount = 0.0
    transport: str = "tcp"
    compute_s: list[Amount] = []
    collectives: list[_Collective] = []
    prediction: _Prediction | None = None
    proportion: _Proportion | None = None
    equal_ways: _EqualWays | None = None
    gpu_hour: _Price | None = None


class _Trace(_Training, tag="trace"):
    pass


class _Case(Struct):
    asked: str
    algorithm: str
    size_bytes: Amount
    carried_bytes: Amount
    predicted_s: Amount
    same_as: str | None = None
    same_order: bool = True


class _Benchmark(_Workload, tag="benchmark"):
    ranks: list[Number]
    op: str
    iterations: Number
    warmup: Number
    cases: list[_Case]
    congestion: str | None = None
    transport: str = "tcp"
    channels: Number = 1


class _Objectives(Struct):
    first_token_s: Amount | None
    token_s: Amount | None


class _Expected(Struct):
    client: str
    replica: str
    seconds: Amount
    prefill_s: Amount
    answerer: str = ""
    handover_s: Amount = 0.0


class _FirstTokens(Struct):
    prompt_tokens: Number
    first_token: list[_Expected]


class _Inference(_Workload, tag="inference"):
    warmup_s: Amount
    routing: str
    objectives: _Objectives
    prediction: _FirstTokens
    clients: list[str] = []
    replicas: list[str] = []
    readers: list[str] = []


class _Background(_Workload, tag="background"):
    source: str = field(name="from")
    sink: str = field(name="to")
    protocol: str
    pattern: str
    rate_bps: Amount
    offered_bps: Amount
    payload_share: Scale


class _ProbedWay(Struct):
    link: str
    direction: str
    source: str
    sink: str
    delay_s: Amount
    load: Amount


class _Probes(_Workload, tag="probes"):
    ways: list[_ProbedWay]


class _Plan(Struct):
    name: str
    description: str
    scale_bytes: Scale
    mtu_bytes: Number
    campuses: list[_Campus]
    links: list[_Link]
    ways: list[_Way]
    wires: list[_Wire]
    workloads: list[_Training | _Trace | _Benchmark | _Inference | _Background | _Probes]
    modelled: list[str]
    probes: list[_Probe] = []


def read_plan(path: Path) -> dict[str, Any]:
    """The plan at `path`, as plain data."""
    typed = read(path, _Plan)
    for what, name in _strangers(typed):
        raise RunError(f"{path}: {what} {name!r} is none of its own")
    return read(path, dict[str, Any])


def _strangers(plan: _Plan) -> Iterator[tuple[str, str]]:
    """Names that a part of the plan uses and none gives: of what, and the name."""
    campuses = {campus.name for campus in plan.campuses}
    links = {link.name for link in plan.links}
    nodes = {probe.name for probe in plan.probes}
    for campus in plan.campuses:
        switches = {switch.name for switch in campus.switches}
        nodes |= switches | {host.name for host in campus.hosts}
        used = [campus.border, *(host.leaf for host in campus.hosts)]
        used += [end for link in campus.fabric_links for end in (link.a, link.b)]
        yield from (("the switch", name) for name in used if name not in switches)
        yield from (("the campus", x.campus) for x in campus.hosts if x.campus != campus.name)
    named = [end for link in plan.links for end in (link.a, link.b)]
    named += [end for way in plan.ways for end in (way.source, way.sink)]
    yield from (("the campus", name) for name in named if name not in campuses)
    crossed = (name for way in plan.ways for path in way.paths for name in path.links)
    yield from (("the link", name) for name in crossed if name not in links)
    ends = (end.node for wire in plan.wires for end in (wire.a, wire.b))
    yield from (("the node", name) for name in ends if name not in nodes)
