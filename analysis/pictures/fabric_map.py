"""The map of a fabric: campuses side by side on the ground, long-haul links as arcs above them.

In: `plan.json`. Out: places in a picture's own units. Every switch and host has its place; nothing
depends on a browser. Inside a campus, switches are in rows by their distance from the border.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.pictures.arcs import DrawnLink, flights, landed

WIDTH = 1160.0
_MARGIN, _GAP, _INSET = 8.0, 28.0, 14.0
_TIER, _SWITCH_HEIGHT, _HEAD, _FOOT = 56.0, 18.0, 14.0, 26.0
_WIDEST = 560.0
_HOST_SIZES = (16.0, 13.0, 11.0, 9.0, 7.0, 5.0, 4.0)
_HOST_ROOM = 150.0
_APART = 3.0
COLOURS = 8
_KNOWN = ("H100", "H200", "GB200", "B200", "A100")


@dataclass(frozen=True)
class Box:
    """A rectangle with a label and a hover title."""

    x: float
    y: float
    width: float
    height: float
    label: str
    title: str

    @property
    def middle(self) -> float:
        """Where wires end."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class HostBox:
    """A host: a square in the colour of its accelerator; `blamed` where ranks waited for it most."""

    x: float
    y: float
    size: float
    colour: int
    blamed: bool
    rank: int
    title: str


@dataclass(frozen=True)
class Wire:
    """A straight line between two switches."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class CampusBox:
    """A campus: its frame, its switches, the wires between them, its hosts."""

    frame: Box
    switches: tuple[Box, ...]
    wires: tuple[Wire, ...]
    hosts: tuple[HostBox, ...]


@dataclass(frozen=True)
class FabricMap:
    """The whole picture."""

    width: float
    height: float
    campuses: tuple[CampusBox, ...]
    arcs: tuple[DrawnLink, ...]


def fabric_map(plan: Mapping[str, Any], blamed_share: Mapping[int, float]) -> FabricMap:
    """Lay a plan out. `blamed_share`: rank -> share of all waiting that was for it."""
    campuses = plan["campuses"]
    colours = palette(plan)
    marked = _most_blamed(blamed_share)
    places = _places(len(campuses))
    arcs = flights(plan, [x + width / 2 for x, width in places])
    sky = max((arc.room for arc in arcs), default=_MARGIN)
    placed = [
        campus_box(campus, (x, sky, width), colours, marked)
        for campus, (x, width) in zip(campuses, places, strict=True)
    ]
    bottom = max(box.frame.y + box.frame.height for box in placed)
    return FabricMap(
        WIDTH,
        bottom + _FOOT,
        tuple(placed),
        tuple(landed(arc, sky, _HEAD) for arc in arcs),
    )


def palette(plan: Mapping[str, Any]) -> dict[str, int]:
    """GPU generations in the order of their first rank, each with its colour in the palette.

    Well-known generations have the same colour in every report; the others take what is left.
    """
    hosts = [host for campus in plan["campuses"] for host in campus["hosts"]]
    ordered = sorted(hosts, key=lambda host: host["rank"])
    names = list(dict.fromkeys(host["accelerator"] for host in ordered))
    known = {name: _KNOWN.index(name) for name in names if name in _KNOWN}
    free = [index for index in range(COLOURS) if index not in known.values()]
    others = [name for name in names if name not in known]
    found = known | {
        name: (free or [0])[index % max(len(free), 1)] for index, name in enumerate(others)
    }
    return {name: found[name] for name in names}


def tiers(campus: Mapping[str, Any]) -> list[list[str]]:
    """Switches in rows by the number of links to the border, which is row 0."""
    names = [switch["name"] for switch in campus["switches"]]
    near: dict[str, list[str]] = {name: [] for name in names}
    for link in campus.get("fabric_links", []):
        near[link["a"]].append(link["b"])
        near[link["b"]].append(link["a"])
    depth = {campus["border"]: 0}
    queue = deque(depth)
    while queue:
        here = queue.popleft()
        for other in near[here]:
            if other not in depth:
                depth[other] = depth[here] + 1
                queue.append(other)
    rows = sorted({depth.get(name, 1) for name in names})
    return [[name for name in names if depth.get(name, 1) == row] for row in rows]


def _places(count: int) -> list[tuple[float, float]]:
    """(left, width) of each campus, centred."""
    room = (WIDTH - 2 * _MARGIN - _GAP * (count - 1)) / count
    width = min(room, _WIDEST)
    start = (WIDTH - count * width - (count - 1) * _GAP) / 2
    return [(start + index * (width + _GAP), width) for index in range(count)]


def campus_box(
    campus: Mapping[str, Any],
    place: tuple[float, float, float],
    colours: Mapping[str, int],
    marked: frozenset[int] = frozenset(),
) -> CampusBox:
    """A campus at `place` (left, top, width), as high as it needs; `marked` ranks stand out."""
    x, y, width = place
    boxes: dict[str, Box] = {}
    roles = {switch["name"]: switch["role"] for switch in campus["switches"]}
    rows = tiers(campus)
    for depth, names in enumerate(rows):
        for index, name in enumerate(names):
            row_y = y + _HEAD + depth * _TIER
            boxes[name] = _switch(name, roles[name], _slot(x, width, index, len(names)), row_y)
    ground = y + _HEAD + (len(rows) - 1) * _TIER + _SWITCH_HEIGHT + 10
    grid = _host_grid(campus, width - 2 * _INSET)
    hosts = tuple(
        _host(host, (left, top, grid[1]), colours, marked)
        for host, left, top in _host_places(campus, grid, boxes, ground)
    )
    depth_y = max((host.y + host.size for host in hosts), default=ground)
    says = f"{campus['site']}: {len(hosts)} hosts, {campus['kind']}"
    frame = Box(x, y, width, depth_y + _INSET - y, campus["name"], says)
    return CampusBox(frame, tuple(boxes.values()), _wires(campus, boxes), hosts)


def _slot(x: float, width: float, index: int, count: int) -> tuple[float, float]:
    """(left, width) of one of `count` equal slots inside a campus."""
    room = (width - 2 * _INSET) / count
    return x + _INSET + index * room, room


def _switch(name: str, role: str, slot: tuple[float, float], y: float) -> Box:
    left, room = slot
    width = min(room - 6, 96.0)
    label = role if width >= 34 else ""
    return Box(left + (room - width) / 2, y, width, _SWITCH_HEIGHT, label, f"{name} ({role})")


def _wires(campus: Mapping[str, Any], boxes: Mapping[str, Box]) -> tuple[Wire, ...]:
    wires = []
    for link in campus.get("fabric_links", []):
        upper, lower = sorted((boxes[link["a"]], boxes[link["b"]]), key=lambda box: box.y)
        wires.append(Wire(upper.middle, upper.y + _SWITCH_HEIGHT, lower.middle, lower.y))
    return tuple(wires)


def _host_grid(campus: Mapping[str, Any], inner: float) -> tuple[int, float]:
    """(columns, size): the largest squares with which the hosts of every leaf fit beneath it."""
    per_leaf = Counter(host["leaf"] for host in campus["hosts"])
    room, most = inner / max(len(per_leaf), 1), max(per_leaf.values(), default=0)
    for size in _HOST_SIZES:
        columns = max(1, int(room // (size + _APART)))
        if -(-most // columns) * (size + _APART) <= _HOST_ROOM:
            return columns, size
    return max(1, int(room // (_HOST_SIZES[-1] + _APART))), _HOST_SIZES[-1]


def _host_places(
    campus: Mapping[str, Any], grid: tuple[int, float], boxes: Mapping[str, Box], ground: float
) -> Iterator[tuple[Mapping[str, Any], float, float]]:
    """Each host with its left and top: rows of squares centred beneath their leaf."""
    columns, step = grid[0], grid[1] + _APART
    by_leaf: dict[str, list[Mapping[str, Any]]] = {}
    for host in campus["hosts"]:
        by_leaf.setdefault(host["leaf"], []).append(host)
    for leaf, hosts in by_leaf.items():
        left = boxes[leaf].middle - (min(columns, len(hosts)) * step - _APART) / 2
        for index, host in enumerate(hosts):
            yield host, left + index % columns * step, ground + index // columns * step


def _host(
    host: Mapping[str, Any],
    place: tuple[float, float, float],
    colours: Mapping[str, int],
    marked: frozenset[int],
) -> HostBox:
    blamed = host["rank"] in marked
    waited = "; among the most waited for" if blamed else ""
    gpus = f"{host.get('gpus', 1)} x {host['accelerator']}"
    title = f"rank {host['rank']}: {host['name']} ({gpus}), {host.get('ip', '')}{waited}"
    return HostBox(*place, colours[host["accelerator"]], blamed, host["rank"], title)


def _most_blamed(blamed_share: Mapping[int, float]) -> frozenset[int]:
    """Ranks with more than twice an equal share of the blame."""
    limit = 2 / max(len(blamed_share), 1)
    return frozenset(rank for rank, share in blamed_share.items() if share > limit)
