"""The topology language as pydantic models: what may be written, with what meaning.

One class per mapping of the file; the text under a field is its documentation, which the JSON
Schema, the editors and docs/dsl.md show. Keys in a file have hyphens where fields have underscores.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.checks.language import CheckField
from scenario.text.fields import (
    Age,
    Bandwidth,
    CampusName,
    Count,
    Delay,
    Distance,
    Files,
    Flops,
    Frequency,
    Loss,
    Margin,
    Model,
    Name,
    Number,
    PositiveShare,
    Power,
    Queue,
    Rate,
    Share,
    ShortName,
    Size,
    Version,
    Year,
    YearKey,
)
from scenario.text.strict import Strict
from scenario.topology.buffering import RdmaModel, SwitchKind
from scenario.topology.economics import EconomicsModel
from scenario.topology.impaired import Impaired
from scenario.topology.routing import RoutingField, RoutingModel
from scenario.topology.timeline import EventModel, Flaps
from scenario.workload.kinds import WorkloadField

MOST_LEAVES = 250
MOST_HOSTS_PER_LEAF = 250
MOST_HOSTS = 10_000
MOST_PORTS = 60_000
"""Of all switches: they share one data path of Open vSwitch's kernel module, which numbers its ports with 16 bits, and
has ports of its own."""


class Scale(Strict):
    """How far the emulation is scaled down, so that a small machine can carry it."""

    bytes: float = Field(default=1.0, ge=1, le=1e9)
    """Payloads and rates are divided by this alike, so that times do not change."""
    hosts: float = Field(default=1.0, ge=1, le=1e6)
    """How many hosts of the real cluster each host here stands for: the emulation is the same, but what the real one
    would need is told beside it."""


class MeasuredModel(Strict):
    """A published measurement of training: what one GPU of many makes of a model."""

    precision: Literal["bf16", "fp8"] = "bf16"
    """The arithmetic of its matrix products."""
    parameters: Count
    """Parameters of the model that was trained."""
    tokens: Frequency
    """Tokens per second and GPU."""
    source: str = ""
    """Who published it, of how many GPUs."""


class AcceleratorModel(Strict):
    """One generation of GPU, as the catalogue or a topology describes it."""

    peak: Flops
    """Peak of dense bf16 arithmetic, per GPU."""
    peak_fp8: Flops | None = None
    """Peak of dense fp8 arithmetic, per GPU; else it has none, and computes fp8 as bf16."""
    measured: list[MeasuredModel] = Field(default=[], max_length=100)
    """Published training throughput: the share of the peak that is achieved is 6·N·tokens/s over the peak."""
    mfu: PositiveShare | None = None
    """The share of the peak that training reaches, whatever the model: it goes before `measured`."""
    memory: Size | None = None
    """Memory of each GPU. Where it is given, a model that does not fit is refused."""
    tdp: Power | None = None
    """Power that each GPU is made for."""
    nvlink_domain: int | None = Field(default=None, ge=1, le=100_000)
    """How many GPUs are joined by NVLink (or what does its work); else those of a host."""
    hbm: Bandwidth
    """Memory bandwidth, per GPU."""
    nic: Rate
    """Network rate that comes with each GPU."""
    nvlink: Bandwidth
    """Bandwidth to the other GPUs of the host, per GPU and direction."""
    per_host: int = Field(default=8, ge=1, le=576)
    """How many GPUs a host has where it does not say."""
    source: str = ""
    """Where these figures are from."""


class LeafSpine(Strict):
    """Every leaf is linked with every spine; hosts hang on the leaves."""

    kind: Literal["leaf-spine"]
    """A two-tier Clos."""
    leaves: int = Field(ge=1, le=MOST_LEAVES)
    """How many leaf switches."""
    spines: int = Field(ge=1, le=64)
    """How many spine switches."""
    uplink: Rate | None = None
    """Rate of each link between a leaf and a spine. Else `oversubscription` decides."""
    oversubscription: float | None = Field(default=None, gt=0, le=1000)
    """Rate of a leaf's hosts over that of its uplinks; 1 where neither this nor `uplink` is given."""
    link_delay: Delay = 0.5e-6
    """One-way delay of each link between switches."""
    host_delay: Delay = 0.5e-6
    """One-way delay of each link between a host and its leaf."""
    border_rate: Rate | None = None
    """Rate of each link to the border switch; else enough for all long-haul links of the campus."""


class Single(Strict):
    """One switch with all hosts on it."""

    kind: Literal["single"] = "single"
    """A single switch."""
    link_delay: Delay = 0.5e-6
    """One-way delay of the link between the switch and the border."""
    host_delay: Delay = 0.5e-6
    """One-way delay of each link between a host and the switch."""
    border_rate: Rate | None = None
    """Rate of the link to the border switch; else enough for all long-haul links of the campus."""


class FatTree(Strict):
    """A k-ary fat tree: k pods of k/2 leaves and k/2 aggregation switches, and (k/2)² cores."""

    kind: Literal["fat-tree"]
    """A three-tier Clos of equal switches."""
    k: int = Field(ge=2, le=22, multiple_of=2)
    """Ports per switch, an even number."""
    rate: Rate | None = None
    """Rate of each link between switches; else the rate of the fastest host."""
    link_delay: Delay = 0.5e-6
    """One-way delay of each link between switches."""
    host_delay: Delay = 0.5e-6
    """One-way delay of each link between a host and its leaf."""
    border_rate: Rate | None = None
    """Rate of each link to the border switch; else enough for all long-haul links of the campus."""


class ExplicitSwitch(Strict):
    """A switch of an explicit fabric."""

    role: Literal["leaf", "aggregation", "spine"]
    """Hosts hang on leaves. The border is linked with the spines; where none are, with the leaves."""


class ExplicitLink(Strict):
    """A link of an explicit fabric."""

    between: list[ShortName] = Field(min_length=2, max_length=2)
    """The two switches."""
    rate: Rate
    """Rate in each direction."""
    delay: Delay = 0.5e-6
    """One-way delay."""


class Explicit(Strict):
    """Switches and links one by one."""

    kind: Literal["explicit"]
    """Any shape."""
    switches: dict[ShortName, ExplicitSwitch] = Field(min_length=1, max_length=500)
    """The switches by name; the campus's name is put before it."""
    links: list[ExplicitLink] = Field(default=[], max_length=5000)
    """The links between them."""
    link_delay: Delay = 0.5e-6
    """One-way delay of each link to the border."""
    host_delay: Delay = 0.5e-6
    """One-way delay of each link between a host and its leaf."""
    border_rate: Rate | None = None
    """Rate of each link to the border switch; else enough for all long-haul links of the campus."""


Fabric: TypeAlias = Annotated[LeafSpine | Single | FatTree | Explicit, Field(discriminator="kind")]


class Variation(Strict):
    """Hosts of a group differ in speed, by chance: the seed decides how."""

    distribution: Literal["uniform", "half-normal"]
    """`uniform`: up to `spread` slower. `half-normal`: `spread` is the standard deviation."""
    spread: Share
    """How much slower a host may be."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """Another seed, another draw; the same seed, the same draw."""


class HostException(Strict):
    """One host of a group that is unlike the others."""

    gpus: int | None = Field(default=None, ge=1, le=576)
    """GPUs in this host."""
    nic: Rate | None = None
    """Rate of each of its NICs."""
    nics: int | None = Field(default=None, ge=1, le=576)
    """NICs in this host."""
    nvlink: Bandwidth | None = None
    """Bandwidth between its GPUs, per GPU and direction."""
    slowdown: float | None = Field(default=None, ge=1, le=1000)
    """Its compute takes this many times as long as it should; `variation` leaves it alone."""


class HostGroup(Strict):
    """Hosts that are alike."""

    name: ShortName | None = None
    """Part of the hosts' names (`c1-NAME-1`); else the accelerator's name in lower case, cut after
    its first digit where names would be too long (`c1-gb2-10`)."""
    count: int = Field(ge=1, le=MOST_HOSTS)
    """How many hosts."""
    accelerator: Model
    """The GPU generation, by its name in the catalogue or under `accelerators`."""
    gpus: int | None = Field(default=None, ge=1, le=576)
    """GPUs in each host; else as the catalogue says."""
    nic: Rate | None = None
    """Rate of each NIC; else as the catalogue says."""
    nics: int | None = Field(default=None, ge=1, le=576)
    """NICs in each host; else one for each GPU."""
    nvlink: Bandwidth | None = None
    """Bandwidth between the GPUs of a host, per GPU and direction; else as the catalogue says."""
    slowdown: float = Field(default=1.0, ge=1, le=1000)
    """Compute takes this many times as long as it should."""
    variation: Variation | None = None
    """Differences between the hosts, on top of `slowdown`."""
    exceptions: dict[Number, HostException] = Field(default={})
    """Single hosts that differ, by their number in the group: a straggler, a host short of NICs."""


class CampusModel(Strict):
    """One site: a fabric and its hosts."""

    template: Name | None = None
    """The template that says what this campus does not."""
    site: str = ""
    """Where it is, for people."""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    """Degrees north."""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    """Degrees east."""
    fabric: Fabric = Single()
    """How its switches are linked; else a single switch."""
    switch: Model | None = None
    """The model of its switches, by its name in the catalogue or under `switches`; else queues of one
    bandwidth-delay product each, counted in packets."""
    border_switch: Model | None = None
    """The model of its border switch; else as `switch`."""
    generation: Year | None = None
    """The year of its switches: `generations` says what that brings, unless it is said here."""
    oversubscription: float = Field(default=1.0, gt=0, le=1000)
    """Rate of a leaf's hosts over that of its uplinks, where the fabric (leaf-spine) says neither this nor `uplink`."""
    border_oversubscription: float = Field(default=1.0, gt=0, le=1000)
    """Rate of the campus's long-haul links over that of each link between the border and the fabric, where the fabric
    has no `border-rate`."""
    hosts: list[HostGroup] = Field(min_length=1, max_length=500)
    """Groups of hosts, dealt to the leaves in order, evenly."""


class Effects(Impaired):
    """What a long-haul link does to packets. What is not given, the link's physics decide."""

    delay: Delay | None = None
    """One-way delay; else what light takes over the distance."""
    loss: Loss | None = None
    """Share of packets lost; else as the aging model says."""
    queue: Queue | None = None
    """Buffer in front of the link, of a bundle in front of each member; else one bandwidth-delay product. At least
    ten packets are carried, as packets are not scaled."""


class Route(Strict):
    """Where a long-haul link runs, and through what."""

    between: list[CampusName] = Field(min_length=2, max_length=2)
    """The two campuses; the first is where `forward` starts."""
    kind: Name | None = None
    """The entry of `kinds.links` that says what this link does not."""
    distance: Distance | None = None
    """Length of the fibre; else the distance between the campuses' coordinates on the globe, times
    `route-factor`; else the length that `delay` stands for."""
    route_factor: float = Field(default=1.3, ge=1, le=10)
    """How much longer the fibre is than the straight line between coordinates (an assumption)."""
    medium: Literal["fibre", "hollow-core"] = "fibre"
    """What light travels in: 4.897 µs/km in fibre, 3.346 µs/km in hollow-core fibre."""
    age: Age = 0.0
    """Years since the fibre was laid."""
    condition: Literal["dry", "damp", "waterlogged"] = "dry"
    """What the cable lies in: it decides how fast the fibre ages."""
    margin: Margin = 3.0
    """What the span had to spare when it was new, above what forward error correction needs."""
    technology: Literal["pam4", "400zr", "400zr+", "flexible", "100g", "10g"] | None = None
    """How the link carries bits, which decides what it needs of the light and to which rates it can step: see Aging.
    Else `pam4` where it keeps its rate, `flexible` where it steps."""
    aging: Literal["loss", "step"] = "loss"
    """What an aged span does: lose packets at full rate, or step down to a rate that closes."""
    generation: Year | None = None
    """The year of its equipment: `generations` says what that brings, unless it or its `kind` says otherwise."""
    member: Rate | None = None
    """Rate of each member of the bundle (link aggregation) that the link is: as many as its rate takes. Switches spread
    connections over them by a hash, so no connection is faster than a member. Else the link is one pipe."""
    noticed_after: Delay = 0.0
    """How long its ends go on sending into a link that is cut, before they notice."""
    flaps: Flaps | None = None
    """How often the link goes down by itself, at random; else it stays up."""
    forward: Effects = Effects()
    """What differs from the first campus to the second."""
    backward: Effects = Effects()
    """What differs from the second campus to the first."""


class Link(Effects, Route):
    """A long-haul link between two campuses."""


class Defaults(Strict):
    """What every campus, host group or link has that does not say otherwise."""

    campuses: CampusModel | None = None
    """For campuses."""
    hosts: HostGroup | None = None
    """For host groups."""
    links: Link | None = None
    """For long-haul links."""


class Kinds(Strict):
    """What host groups and links of a kind have that do not say otherwise."""

    hosts: dict[Model, HostGroup] = Field(default={})
    """For host groups, by their accelerator."""
    links: dict[Name, Link] = Field(default={})
    """For long-haul links, by their `kind`."""


class GenerationModel(Strict):
    """What equipment of a year is like: campuses and links with that `generation` have it where they do not say
    otherwise."""

    campuses: CampusModel | None = None
    """Of campuses."""
    links: Link | None = None
    """Of long-haul links."""
    source: str = ""
    """Where these figures are from, and how far they range."""


class Reuse(Strict):
    """The parts of a topology that are there to be inherited from. In them no key is required."""

    defaults: Defaults | None = None
    """What is inherited by all."""
    kinds: Kinds | None = None
    """What is inherited by all of a kind."""
    templates: dict[Name, CampusModel] = Field(default={})
    """Campuses to be used by name, with `template`."""
    generations: dict[YearKey, GenerationModel] = Field(default={})
    """Equipment by its year, beside the generations of the catalogue, or in place of them."""


class Testbed(Strict):
    """What is built."""

    longhaul: Version
    """Version of this language."""
    name: Name
    """Name of the testbed."""
    description: str = ""
    """What it shows, for people."""
    include: Files = None
    """Files, beside this one or below, to start from. This file says only what differs."""
    scale: Scale = Scale()
    """How far the emulation is scaled down."""
    mtu: int = Field(default=9000, ge=576, le=9216)
    """Largest IP packet, in bytes."""
    accelerators: dict[Model, AcceleratorModel] = Field(default={})
    """GPU generations beside those of the catalogue, or in place of them."""
    economics: EconomicsModel = EconomicsModel()
    """What things cost and earn: `longhaul worth` weighs by it. Every default has its source or range below."""
    switches: dict[Model, SwitchKind] = Field(default={})
    """Models of switches beside those of the catalogue, or in place of them."""
    rdma: RdmaModel | None = None
    """How the hosts' adapters speak RoCE. Without it they do as soon as a workload asks for it, with no congestion
    control."""
    campuses: dict[CampusName, CampusModel] = Field(min_length=1, max_length=64)
    """The campuses by name."""
    links: dict[Name, Link] = Field(default={}, max_length=256)
    """The long-haul links by name."""
    routing: RoutingField = RoutingModel()
    """How campuses are routed, and what happens when a link fails."""
    timeline: list[EventModel] = Field(default=[], max_length=1000)
    """What happens while a workload runs."""
    workloads: dict[Name, WorkloadField] = Field(default={}, max_length=32)
    """What runs here where the command line names no workload, by name. The key is the name."""
    checks: list[CheckField] = Field(default=[], max_length=200)
    """What must hold of a run: `longhaul check` says whether it does."""
    factors: dict[Name, list[str]] = Field(default={}, max_length=16)
    """Causes of loss by name, for `attribute` and `--without`: each a list of what is set to switch it
    off, as `links.c1-c2.rate=3.2Tbit/s`."""


class TopologyModel(Reuse, Testbed):
    """A testbed: campuses, joined by long-haul links."""
