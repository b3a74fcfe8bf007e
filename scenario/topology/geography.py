"""How far apart campuses are, and how long light takes over it."""

from __future__ import annotations

import math

from scenario.topology.models import CampusModel, Link

EARTH_RADIUS_M = 6_371_008.8
LIGHT_M_PER_S = 299_792_458

# Group indices: standard fibre at 1550 nm [ITU-T G.652.D cables]; hollow-core fibre guides light in
# air, all but a few parts in a thousand of its way.
GROUP_INDEX = {"fibre": 1.4682, "hollow-core": 1.003}


def straight_line_m(a: CampusModel, b: CampusModel) -> float | None:
    """Distance on the globe between two campuses, or None where one has no coordinates."""
    degrees = (a.latitude, a.longitude, b.latitude, b.longitude)
    known = [math.radians(angle) for angle in degrees if angle is not None]
    return great_circle_m(*known) if len(known) == len(degrees) else None


def great_circle_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance over a sphere of the Earth's mean radius, angles in radians [haversine formula]."""
    across = math.sin((lat2 - lat1) / 2) ** 2
    along = math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(across + along)))


def light_delay_s(distance_m: float, medium: str) -> float:
    """One-way delay over a length of the medium."""
    return distance_m * GROUP_INDEX[medium] / LIGHT_M_PER_S


def length_m(link: Link, a: CampusModel, b: CampusModel) -> float:
    """How long the link is: as said, else by coordinates, else what its delay stands for."""
    if link.distance is not None:
        return link.distance
    straight = straight_line_m(a, b)
    if straight:
        return straight * link.route_factor
    return (link.delay or 0.0) / light_delay_s(1.0, link.medium)
