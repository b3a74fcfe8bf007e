"""A plan as a picture: SVG, or a self-contained page with the picture and its tables.

In: `plan.json`. Out: text. For other programs to draw: `diagrams`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.pages import render
from analysis.pictures.arcs import HEALTH, aged, text_width
from analysis.pictures.atlas import atlas
from analysis.pictures.fabric_map import palette
from analysis.pictures.when import when

Data = Mapping[str, Any]


@dataclass(frozen=True)
class LegendEntry:
    """An entry of the picture's legend: where, what it looks like, what it means."""

    x: float
    y: float
    css: str
    stroke: bool
    label: str


def svg(plan: Data) -> str:
    """The map by itself, with a legend and a text alternative."""
    described = description(plan)
    return render(
        "graph.svg.j2", plan=plan, map=atlas(plan), key=list(_legend(plan)), described=described
    )


def html(plan: Data) -> str:
    """The map and tables of campuses, links and events on a page."""
    return render(
        "graph.html.j2",
        headline=plan["description"] or plan["name"],
        described=description(plan),
        plan=plan,
        picture=svg(plan),
        campuses=[_campus(campus) for campus in plan["campuses"]],
        links=list(link_rows(plan)),
        events=[{**event, "when": when(event["timing"])} for event in plan["timeline"]],
    )


def description(plan: Data) -> str:
    """The plan in a sentence: what the picture's text alternative says."""
    campuses = [f"{c['name']} ({hosts_in_words(c)})" for c in plan["campuses"]]
    links = [f"{link['name']} between {link['a']} and {link['b']}" for link in plan["links"]]
    joined = f", joined by {', '.join(links)}" if links else ""
    return f"{'; '.join(campuses)}{joined}."


def link_rows(plan: Data) -> Iterator[dict[str, Any]]:
    """Long-haul links with their real rate, and age and condition in words."""
    for link in plan["links"]:
        rate_bps = link["forward"]["rate_bps"] * plan["scale_bytes"]
        yield {**link, "aged": aged(link), "rate_bps": rate_bps}


def hosts_in_words(campus: Data) -> str:
    """`4 x H100, 8 x GB200` hosts."""
    counts = Counter(host["accelerator"] for host in campus["hosts"])
    return ", ".join(f"{count} x {name}" for name, count in counts.items())


def _campus(campus: Data) -> dict[str, Any]:
    return {**campus, "switches": len(campus["switches"]), "hosts": hosts_in_words(campus)}


def _legend(plan: Data) -> Iterator[LegendEntry]:
    """Accelerators in the first row, the health of links in the second."""
    x = 6.0
    for name, colour in palette(plan).items():
        yield LegendEntry(x, 0, f"a{colour}", False, f"{name} host")
        x += text_width([f"{name} host"]) + 56
    x = 24.0
    for index, label in enumerate(HEALTH if plan["links"] else ()):
        yield LegendEntry(x, 24, f"health{index}", True, label)
        x += text_width([label]) + 56
