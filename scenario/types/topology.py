"""What a topology and a workload are once read: frozen, validated, in SI units.

The `dsl` package turns text into these; everything after it (plan, fabric, traffic) takes only
these. Rates and sizes are the real world's: scaling them down is the plan's business
(`scale_bytes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from scenario.types.achieved import Achieved, achieved_flops
from scenario.types.checks import Claim
from scenario.types.economics import Economics
from scenario.types.impairments import Impairments
from scenario.types.training import Plain, Precision, Shares, Slowdowns, Strategy


@dataclass(frozen=True)
class Accelerator:
    """One GPU generation: its dense bf16 peak, and what training `achieved`, per GPU. `memory_bytes` and `tdp_w` are
    None where nobody knows; `nvlink_domain` GPUs are joined without the network."""

    name: str
    peak_flops: float
    achieved: tuple[Achieved, ...]
    hbm_Bps: float
    nic_bps: float
    memory_bytes: float | None = None
    tdp_w: float | None = None
    nvlink_domain: int | None = None

    @property
    def mfu(self) -> float:
        """The share of the bf16 peak that training a model of usual size achieves."""
        return achieved_flops(self.achieved) / self.peak_flops


@dataclass(frozen=True)
class Host:
    """A server: `gpus` accelerators behind NICs that carry `nic_bps` together.

    `intra_Bps` is the bandwidth between its GPUs, per GPU and direction. Compute takes `slowdown`
    times as long as the accelerator should.
    """

    name: str
    campus: str
    group: str
    accelerator: Accelerator
    gpus: int
    nic_bps: float
    intra_Bps: float
    slowdown: float = 1.0


@dataclass(frozen=True)
class Marking:
    """ECN by the bytes that wait in a queue: no marks up to `min_bytes`, at `max_bytes` the share `probability`
    of packets, above it all."""

    min_bytes: float
    max_bytes: float
    probability: float


@dataclass(frozen=True)
class Pausing:
    """Priority flow control: `classes` are lossless.

    A class is paused when more than `xoff_bytes` that came in by one port wait, and resumed at `xon_bytes`.
    `headroom_bytes` above that, per port and class (None: what rate and cable ask for).
    """

    classes: tuple[int, ...]
    xoff_bytes: float
    xon_bytes: float
    headroom_bytes: float | None = None


@dataclass(frozen=True)
class SwitchModel:
    """How a model of switch buffers: ports share `buffer_bytes`, a queue may have `alpha` times what is free."""

    name: str
    buffer_bytes: float
    alpha: float = 1.0
    marking: Marking | None = None
    pausing: Pausing | None = None


Congestion: TypeAlias = Literal["none", "dcqcn", "window", "split"]


@dataclass(frozen=True)
class Rdma:
    """How the hosts' adapters speak RoCE: which congestion control, and how much of a queue pair may be under way
    (`window_bytes`; None: with `window` what its path asks for, else as much as a workload hands to it). `iwarp`:
    they also have a device that speaks iWARP."""

    congestion: Congestion = "none"
    window_bytes: float | None = None
    iwarp: bool = False


@dataclass(frozen=True)
class Switch:
    """A switch by name and role.

    Hosts hang on each `leaf`; `spine` is the top tier, `aggregation` a fat tree's tier between the
    two; long-haul links end at the `border`.
    """

    name: str
    role: str


@dataclass(frozen=True)
class FabricLink:
    """A link between two switches of one campus."""

    a: str
    b: str
    rate_bps: float
    delay_s: float


@dataclass(frozen=True)
class Campus:
    """A site: its switches, the links between them, and its hosts with the leaf each hangs on.

    Every fabric kind (leaf-spine, single, fat-tree, explicit) is elaborated into this one form.
    Long-haul links end at `border`, which is linked with every spine (or every leaf, without
    spines). Of a switch whose model is None, queues are counted in packets.
    """

    name: str
    site: str
    latitude: float | None
    longitude: float | None
    kind: str
    switches: tuple[Switch, ...]
    fabric_links: tuple[FabricLink, ...]
    hosts: tuple[Host, ...]
    leaf_of: dict[str, str]
    host_delay_s: float
    border: str
    switch_model: SwitchModel | None = None
    border_model: SwitchModel | None = None
    generation: int | None = None


@dataclass(frozen=True)
class Direction(Impairments):
    """What one direction of a long-haul link does to packets.

    `queue_bytes` None: derived from the bandwidth-delay product.
    """

    rate_bps: float
    delay_s: float
    queue_bytes: float | None = None


@dataclass(frozen=True)
class LongHaul:
    """A link between the borders of two campuses. `forward` is a to b.

    `age_s` and `condition` are what the aging model was asked; what it answered (loss, stepped rate)
    is already in the directions. `rate_share` is what age has left of the rate.

    A link is a bundle of `members` wires of equal rate, over which switches spread connections by a hash; rates are of
    all together, `queue_bytes` is of each. When it is cut, its ends notice after `noticed_s`, and send into it until
    then. `generation` is the year of its equipment, None where nobody says.
    """

    name: str
    a: str
    b: str
    distance_m: float
    age_s: float
    condition: str
    forward: Direction
    backward: Direction
    medium: str = "fibre"
    rate_share: float = 1.0
    members: int = 1
    noticed_s: float = 0.0
    generation: int | None = None


@dataclass(frozen=True)
class Timing:
    """When an event happens, in seconds from the workload's start.

    First at `first_s`; again every `every_s` where that is given. With `mtbf_s` chance decides: the
    times from `first_s` to the first one, and from each one's end to the next one, are exponential
    with that mean. One occurrence is `times` outages, `pause_s` apart, of `lasts_s` each (None: for
    ever), or exponential with mean `mttr_s`.
    """

    first_s: float = 0.0
    every_s: float | None = None
    mtbf_s: float | None = None
    lasts_s: float | None = None
    mttr_s: float | None = None
    times: int = 1
    pause_s: float = 0.0


@dataclass(frozen=True)
class Change:
    """What a link does otherwise for a while: fields of `Direction`, by direction."""

    link: str
    forward: Mapping[str, float] = field(default_factory=dict)
    backward: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something that happens to a running fabric, while it lasts.

    `kind` is the word of the language (`link-flap`, `power-loss`), `says` tells people in a few
    words. All that it does is elaborated into: long-haul links without light, links changed, hosts
    without power, hosts whose compute takes `slowdown` times as long, the controller not there.
    """

    name: str
    kind: str
    says: str
    timing: Timing
    links_down: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    hosts_down: tuple[str, ...] = ()
    slowed: tuple[str, ...] = ()
    slowdown: float = 1.0
    controller_down: bool = False


@dataclass(frozen=True)
class StaticPath:
    """A path given by hand: from campus `source` `over` long-haul links, by name, to campus `sink`."""

    source: str
    sink: str
    over: tuple[str, ...]
    weight: int = 1


@dataclass(frozen=True)
class Routing:
    """How campuses are routed: the policy by name, its options, and what happens when a link fails.

    `detour`, in links, is of ecmp and wcmp, `message_bytes` of loss-aware, `paths` of static.
    `protection`: switches move traffic to a backup by themselves, or wait for the controller. It
    has new routes in place `repair_after_s` after a failure, and uses a link that came back once it
    has stayed up for `hold_down_s`, twice as long after each further failure. `hash_seed` decides which of
    several equal ways a connection takes; None until a plan is made: it is the run's then. Where they are `pinned`,
    agents leave from ports with which they go over the ways in turn.
    """

    policy: str = "shortest-delay"
    detour: int = 0
    message_bytes: float = 64e6
    mtu_bytes: int = 9000
    paths: tuple[StaticPath, ...] = ()
    protection: str = "fast-failover"
    repair_after_s: float = 0.05
    hold_down_s: float = 1.0
    hash_seed: int | None = None
    pinned: bool = False


@dataclass(frozen=True)
class Transport:
    """What carries a workload's bytes: the kernel's `tcp`, or `roce`, RDMA over Converged Ethernet. There, an
    adapter waits 4.096 µs x 2^`timeout` for an acknowledgement; None: as long as the longest way asks for."""

    kind: Literal["tcp", "roce"] = "tcp"
    timeout: int | None = None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What runs on some of a testbed's hosts. Each kind is a class of its own.

    `on` are names or patterns of campuses and hosts; with none it runs on all hosts. `files` are all
    that it was read from, the last one is `source`. An `exclusive` one shares its hosts with no
    other that is. `checks` are what must hold of its runs.
    """

    exclusive: ClassVar[bool] = True
    kind: ClassVar[str]

    name: str
    source: str
    files: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    transport: Transport = Transport()
    checks: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Topology:
    """A whole testbed. `scale_bytes` k: payloads and rates are divided by k alike, so times stay.

    `files` are all that it was read from: what it includes, and last `source` itself. `factors` are
    causes of loss by name, each with the overrides that switch it off. `workloads` are those that
    run where the user names no other. `rdma` None: the hosts' adapters are no RDMA ones. `checks` are what
    must hold of a run.
    """

    name: str
    description: str
    scale_bytes: float
    mtu_bytes: int
    campuses: tuple[Campus, ...]
    links: tuple[LongHaul, ...]
    source: str
    files: tuple[str, ...] = ()
    timeline: tuple[Event, ...] = ()
    routing: Routing = Routing()
    factors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    rdma: Rdma | None = None
    scale_hosts: float = 1.0
    economics: Economics = field(default_factory=Economics)
    checks: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Collective:
    """Which collective, by which algorithm (`auto`: the one that should be fastest), and how.

    Each algorithm takes what means something to it. `channels`: connections per pair of ranks. Messages
    longer than `segment_bytes` are cut. `order`: how a ring visits the hosts. `inner`, `outer`: of a
    hierarchical one, inside a campus and across. `servers`: parameter servers. Connections use
    `congestion` control, their sockets `socket_buffer_bytes` (None: as the kernel tunes them).
    `verify`: reduce real numbers and check the results. Segments are the real world's, unscaled;
    socket buffers are the kernel's, as they are.
    """

    op: str = "all_reduce"
    algorithm: str = "ring"
    verify: bool = False
    channels: int = 1
    segment_bytes: float | None = None
    order: Literal["campus", "rank", "interleaved"] = "campus"
    inner: str = "ring"
    outer: str = "ring"
    servers: int = 1
    congestion: str = "cubic"
    socket_buffer_bytes: int | None = None


@dataclass(frozen=True)
class Price:
    """An amount of money in a currency (ISO 4217)."""

    amount: float
    currency: str


@dataclass(frozen=True, kw_only=True)
class Training(Workload):
    """Synchronous training, spread over hosts as `strategy` says.

    `tokens` is the global batch, divided between hosts in `shares`; each computes its own in `accumulate`
    parts. `gradient_bytes` is parameters x dtype size (`value_bytes`), `layers` are parameters layer by
    layer, `active` those that a token meets, `hidden` the values per token between layers. All are the
    real world's, unscaled. `precision` is that of the arithmetic, whatever travels. `gpu_hour` is the price
    of one GPU for an hour.
    """

    kind = "training"

    parameters: float
    gradient_bytes: float
    tokens: float
    iterations: int
    warmup: int
    collective: Collective
    gpu_hour: Price | None = None
    strategy: Strategy = field(default_factory=Plain)
    layers: tuple[float, ...] = ()
    active: float = 0.0
    hidden: int = 0
    value_bytes: float = 2.0
    accumulate: int = 1
    shares: Shares = "per-gpu"
    precision: Precision = "bf16"
    slowdowns: Slowdowns | None = None
