"""The map of a plan as a picture of its own: campuses where they are on the globe, or evenly on a circle.

In: `plan.json`. Out: the same kind of map as the report's (`fabric_map`), laid out in two dimensions:
campuses never overlap, long-haul links run between them in straight or bent lines, and their labels
stand where they cover nothing, as far as that can be had.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from analysis.pictures.arcs import LINE, DrawnLink, health, link_lines, text_width
from analysis.pictures.fabric_map import CampusBox, FabricMap, campus_box, palette

_MARGIN = 24.0
_APART = (290.0, 116.0)
"""Least distance between campuses, across and down: room for labels of links."""
_FOOT = 26.0
"""Room for a campus's name beneath it."""
_LARGEST = 3000.0
_BENDS = (0.0, 60.0, -60.0, 120.0, -120.0, 200.0, -200.0)
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
_SAMPLES = 24

Point = tuple[float, float]


@dataclass(frozen=True)
class Rect:
    """A rectangle by its middle and half its sides."""

    x: float
    y: float
    half_width: float
    half_height: float

    def holds(self, point: Point, air: float = 4.0) -> bool:
        """Whether a point is inside, or nearly."""
        beside = abs(point[0] - self.x) - self.half_width
        return beside < air and abs(point[1] - self.y) - self.half_height < air

    def meets(self, other: Rect) -> bool:
        """Whether two rectangles overlap."""
        beside = abs(self.x - other.x) - self.half_width - other.half_width
        return beside < 0 and abs(self.y - other.y) - self.half_height - other.half_height < 0

    def rim(self, towards: Point) -> Point:
        """Where the straight line from the middle to a point outside leaves the rectangle."""
        dx, dy = towards[0] - self.x, towards[1] - self.y
        shares = [side / abs(d) for side, d in ((self.half_width, dx), (self.half_height, dy)) if d]
        share = min([1.0, *shares])
        return self.x + dx * share, self.y + dy * share


@dataclass(frozen=True)
class Road:
    """A long-haul link on its way: a quadratic Bézier curve, points along it, the rectangle about
    them, and where its label stands."""

    link: Mapping[str, Any]
    curve: tuple[Point, Point, Point]
    points: tuple[Point, ...]
    about: Rect
    label: Rect
    lines: tuple[str, ...]


def atlas(plan: Mapping[str, Any]) -> FabricMap:
    """Lay a plan out in two dimensions."""
    colours = palette(plan)
    boxes = [campus_box(campus, (0, 0, _width(campus)), colours) for campus in plan["campuses"]]
    sizes = [(box.frame.width, box.frame.height + _FOOT) for box in boxes]
    rects = [
        Rect(x, y, width / 2, height / 2)
        for (x, y), (width, height) in zip(_middles(plan, sizes), sizes, strict=True)
    ]
    roads = _roads(plan, rects)
    left, top, right, bottom = _bounds(rects, roads)
    moved = (_MARGIN - left, _MARGIN - top)
    return FabricMap(
        right - left + 2 * _MARGIN,
        bottom - top + 2 * _MARGIN,
        tuple(
            _placed(campus, rect, moved, colours)
            for campus, rect in zip(plan["campuses"], rects, strict=True)
        ),
        tuple(_arc(road, moved, plan.get("scale_bytes", 1.0)) for road in roads),
    )


# --- campuses ------------------------------------------------------------------------------------


def _width(campus: Mapping[str, Any]) -> float:
    leaves = {host["leaf"] for host in campus["hosts"]}
    return min(max(120.0, 60.0 * len(leaves) + 40), 420.0)


def _placed(
    campus: Mapping[str, Any], rect: Rect, moved: Point, colours: Mapping[str, int]
) -> CampusBox:
    x, y = rect.x - rect.half_width + moved[0], rect.y - rect.half_height + moved[1]
    return campus_box(campus, (x, y, 2 * rect.half_width), colours)


def _middles(plan: Mapping[str, Any], sizes: Sequence[Point]) -> list[Point]:
    """Where campuses stand: as on the globe where all have coordinates, else on a circle."""
    globe = _globe(plan["campuses"])
    if globe:
        spread = _spread(globe, sizes)
        if spread and max(abs(x - a) for x, _ in spread for a, _ in spread) < _LARGEST:
            return spread
    return _spread(_circle(len(sizes)), sizes) or [(0.0, 0.0)]


def _globe(campuses: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Coordinates on a flat map, true to scale at their mean latitude; empty where one lacks them."""
    places = [(campus.get("longitude"), campus.get("latitude")) for campus in campuses]
    known = [(x, y) for x, y in places if x is not None and y is not None]
    if len(known) < len(places):
        return []
    narrower = math.cos(math.radians(sum(y for _, y in known) / len(known)))
    return [(x * narrower, -y) for x, y in known]


def _circle(count: int) -> list[Point]:
    """Evenly on a circle: two side by side, of more the first on the left above."""
    first = math.pi if count == 2 else -math.pi / 2 - (math.pi / count if count % 2 == 0 else 0)
    angles = [first + 2 * math.pi * index / count for index in range(count)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def _spread(middles: Sequence[Point], sizes: Sequence[Point]) -> list[Point]:
    """The places drawn apart until nothing overlaps; empty where two are at one place."""
    scale = 1.0
    for (one, (w1, h1)), (other, (w2, h2)) in combinations(zip(middles, sizes, strict=True), 2):
        across, down = abs(one[0] - other[0]), abs(one[1] - other[1])
        needs = [
            need / distance
            for need, distance in (
                ((w1 + w2) / 2 + _APART[0], across),
                ((h1 + h2) / 2 + _APART[1], down),
            )
            if distance > 1e-6
        ]
        if not needs:
            return []
        scale = max(scale, min(needs))
    return [(x * scale, y * scale) for x, y in middles]


# --- links ---------------------------------------------------------------------------------------


def _roads(plan: Mapping[str, Any], rects: Sequence[Rect]) -> list[Road]:
    """Every link on the way that covers least; those laid before stay where they are."""
    order = {campus["name"]: index for index, campus in enumerate(plan["campuses"])}
    roads: list[Road] = []
    for link in plan["links"]:
        ends = rects[order[link["a"]]], rects[order[link["b"]]]
        lines = (link["name"], *link_lines(link, plan.get("scale_bytes", 1.0)))
        roads.append(min(_ways(link, ends, lines), key=lambda way: _covered(way, rects, roads)))
    return roads


def _ways(link: Mapping[str, Any], ends: tuple[Rect, Rect], lines: tuple[str, ...]) -> list[Road]:
    """The ways that a link may take, the straightest first."""
    half_width, half_height = text_width(lines) / 2 + 3, LINE * len(lines) / 2 + 3
    ways = []
    for bend in _BENDS:
        curve = _bent(ends, bend)
        points = tuple(_along(curve, step / _SAMPLES) for step in range(_SAMPLES + 1))
        about = _about(points)
        for share in _PLACES:
            label = Rect(*_along(curve, share), half_width, half_height)
            ways.append(Road(link, curve, points, about, label, lines))
    return ways


def _about(points: Sequence[Point]) -> Rect:
    """The rectangle about some points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return Rect((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)


def _bent(ends: tuple[Rect, Rect], bend: float) -> tuple[Point, Point, Point]:
    """From rim to rim, its middle `bend` beside the straight line."""
    a, b = ends
    dx, dy = b.x - a.x, b.y - a.y
    length = math.hypot(dx, dy)
    middle = (a.x + b.x) / 2 - dy / length * 2 * bend, (a.y + b.y) / 2 + dx / length * 2 * bend
    return a.rim(middle), middle, b.rim(middle)


def _covered(road: Road, rects: Sequence[Rect], others: Sequence[Road]) -> int:
    """How much a road and its label cover, or are covered by."""
    campuses = _held(rects, road.points[1:-1], road.about)
    labels = _held([other.label for other in others], road.points, road.about)
    under = sum(_held([road.label], other.points, other.about) for other in others)
    own = sum(road.label.meets(rect) for rect in rects)
    own += sum(road.label.meets(other.label) for other in others)
    return 20 * own + 4 * campuses + 2 * labels + 2 * under


def _held(rects: Sequence[Rect], points: Sequence[Point], about: Rect) -> int:
    """How many of the points, and `about` is the rectangle about them, are in how many rectangles."""
    near = [rect for rect in rects if rect.meets(about)]
    return sum(rect.holds(point) for rect in near for point in points)


def _along(curve: tuple[Point, Point, Point], share: float) -> Point:
    """A point of a quadratic Bézier curve."""
    weights = (1 - share) ** 2, 2 * share * (1 - share), share**2
    x, y = (
        sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1)
    )
    return x, y


def _bounds(rects: Sequence[Rect], roads: Sequence[Road]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of everything."""
    every = [*rects, *(rect for road in roads for rect in (road.label, road.about))]
    return (
        min(r.x - r.half_width for r in every),
        min(r.y - r.half_height for r in every),
        max(r.x + r.half_width for r in every),
        max(r.y + r.half_height for r in every),
    )


def _arc(road: Road, moved: Point, scale: float) -> DrawnLink:
    label = replace(road.label, x=road.label.x + moved[0], y=road.label.y + moved[1])
    start, middle, end = ((x + moved[0], y + moved[1]) for x, y in road.curve)
    path = (
        f"M{start[0]:.1f} {start[1]:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )
    first_line = label.y - LINE * len(road.lines) / 2 + 12
    title = f"{road.link['name']}: {', '.join(link_lines(road.link, scale))}"
    width = text_width(road.lines)
    return DrawnLink(
        road.link["name"], path, label.x, first_line, width, road.lines, health(road.link), title
    )
