"""What a student's routing policy answers, as plain data. Runs inside a guest."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from controller.policies.campuses import Arc, CampusGraph
from longhaul.labs.guest.calling import function
from scenario.types.topology import Routing


def answered(file: str, links: list[dict[str, Any]], message_bytes: float) -> list[dict[str, Any]]:
    """For each link that is cut (and none), and each pair of campuses: the links of each path that `MyPolicy`
    gives."""
    policy = function(file, "MyPolicy")(Routing(message_bytes=message_bytes))
    arcs = [arc for link in links for arc in both(link)]
    campuses = sorted({arc.tail for arc in arcs})
    found = []
    for cut in (None, *(link["name"] for link in links)):
        graph = CampusGraph(tuple(arc for arc in arcs if arc.link != cut))
        for source, sink in permutations(campuses, 2):
            shares = policy.paths(graph, source, sink)
            listed = [[arc.link for arc in share.path] for share in shares]
            found.append({"cut": cut, "source": source, "sink": sink, "paths": listed})
    return found


def both(link: dict[str, Any]) -> tuple[Arc, Arc]:
    """Both directions of a link."""
    a, b = link["ends"]
    rate, delay = link["rate_bps"], link["delay_s"]
    return Arc(link["name"], a, b, rate, delay), Arc(link["name"], b, a, rate, delay)
