"""A plan as text for other programs to draw: Graphviz's DOT, and Mermaid.

In: `plan.json`. Hosts that hang on one leaf and are alike are one node. Names and sites come from the
user, so everything is quoted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.pictures.arcs import HEALTH, health, link_lines

Data = Mapping[str, Any]

# Okabe-Ito, as the report has them; each with a dash, so that no colour has to be told apart.
_COLOURS = ("#0072b2", "#56b4e9", "#e69f00", "#d55e00")
_DOT_STYLES = ("solid", "dashed", "dashed", "dotted")
_MERMAID_DASHES = ("0", "14 6", "7 7", "2 8")
_SHAPES = {"border": "hexagon"}


def dot(plan: Data) -> str:
    """An undirected graph with a cluster per campus, for `dot` or `neato`."""
    lines = [f"graph {_dot(plan['name'])} {{"]
    lines += [
        "  graph [compound=true, nodesep=0.3, ranksep=0.6, fontname=sans]",
        "  node [shape=box, fontname=sans, fontsize=10]",
        "  edge [fontname=sans, fontsize=10]",
    ]
    for campus in plan["campuses"]:
        lines += [f"  {line}" for line in _cluster(campus)]
    for link in plan["links"]:
        ends = " -- ".join(_dot(_border(plan, link[end])) for end in "ab")
        state = health(link)
        label = _dot("\n".join((link["name"], *link_lines(link, plan["scale_bytes"]))))
        look = f"color={_dot(_COLOURS[state])}, style={_DOT_STYLES[state]}, penwidth=3"
        lines.append(f"  {ends} [label={label}, tooltip={_dot(HEALTH[state])}, {look}]")
    return "\n".join([*lines, "}", ""])


def mermaid(plan: Data) -> str:
    """A flowchart with a subgraph per campus."""
    lines = ["flowchart TB"]
    for campus in plan["campuses"]:
        lines += [f"  {line}" for line in _subgraph(campus)]
    inside = sum(len(_edges(campus)) for campus in plan["campuses"])
    for index, link in enumerate(plan["links"]):
        a, b = (_id(_border(plan, link[end])) for end in "ab")
        label = _mermaid("<br>".join((link["name"], *link_lines(link, plan["scale_bytes"]))))
        state = health(link)
        look = f"stroke:{_COLOURS[state]},stroke-width:4px"
        dashes = f",stroke-dasharray:{_MERMAID_DASHES[state]}" if state else ""
        lines.append(f"  {a} ---|{label}| {b}")
        lines.append(f"  linkStyle {inside + index} {look}{dashes}")
    return "\n".join([*lines, ""])


def connections(plan: Data) -> dict[str, Any]:
    """Hosts and switches, and the wires between them, as plain data: what other programs draw of."""
    hosts = [
        {"name": one["name"], "kind": "host", "campus": one["campus"]} for one in plan["hosts"]
    ]
    switches = [
        {"name": one["name"], "kind": one["role"], "campus": one["campus"]}
        for one in plan["switches"]
    ]
    drawn = [one for one in plan["wires"] if one["kind"] != "probe"]
    return {"name": plan["name"], "nodes": hosts + switches, "wires": [_wire(one) for one in drawn]}


def _wire(wire: Data) -> dict[str, Any]:
    near, far = wire["a"], wire["b"]
    return {
        "name": wire["name"], "kind": wire["kind"], "between": [near["node"], far["node"]],
        "rate_bps": near["shape"]["rate_bps"], "delay_s": near["shape"]["delay_s"],
    }  # fmt: skip


def _cluster(campus: Data) -> Iterator[str]:
    cluster = _dot(f"cluster_{campus['name']}")
    yield f"subgraph {cluster} {{"
    yield f"  label={_dot(_title(campus))}"
    for switch in campus["switches"]:
        shape = _SHAPES.get(switch["role"], "box")
        yield f"  {_dot(switch['name'])} [shape={shape}]"
    for node, _, says in _hosts(campus):
        yield f"  {_dot(node)} [label={_dot(says)}, shape=box3d]"
    for a, b in _edges(campus):
        yield f"  {_dot(a)} -- {_dot(b)}"
    yield "}"


def _subgraph(campus: Data) -> Iterator[str]:
    yield f"subgraph {_id(campus['name'])}[{_mermaid(_title(campus))}]"
    for switch in campus["switches"]:
        opened, closed = ("{{", "}}") if switch["role"] == "border" else ("[", "]")
        yield f"  {_id(switch['name'])}{opened}{_mermaid(switch['name'])}{closed}"
    for node, _, says in _hosts(campus):
        yield f"  {_id(node)}([{_mermaid(says)}])"
    for a, b in _edges(campus):
        yield f"  {_id(a)} --- {_id(b)}"
    yield "end"


def _hosts(campus: Data) -> list[tuple[str, str, str]]:
    """(node, leaf, what it says) of hosts that are alike on one leaf."""
    counts = Counter((host["leaf"], host["accelerator"]) for host in campus["hosts"])
    return [
        (f"{leaf}-{accelerator}", leaf, f"{count} x {accelerator}")
        for (leaf, accelerator), count in counts.items()
    ]


def _edges(campus: Data) -> list[tuple[str, str]]:
    """The links inside a campus, from the border down."""
    wires = [(link["b"], link["a"]) for link in campus["fabric_links"]]
    return wires + [(leaf, node) for node, leaf, _ in _hosts(campus)]


def _title(campus: Data) -> str:
    return f"{campus['name']}: {campus['site']}" if campus["site"] else str(campus["name"])


def _border(plan: Data, name: str) -> str:
    return next(str(campus["border"]) for campus in plan["campuses"] if campus["name"] == name)


def _dot(text: str) -> str:
    """A quoted DOT string: only quotes and backslashes mean anything in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _mermaid(text: str) -> str:
    """Quoted text; characters that Mermaid or HTML would read are given by number."""
    kept = text.replace("<br>", "\n")
    escaped = "".join(f"#{ord(c)};" if c in '"#<>&;`\\' else c for c in kept)
    return f'"{escaped.replace(chr(10), "<br>")}"'


def _id(name: str) -> str:
    """An identifier that is no keyword of Mermaid; characters that no identifier has are given by number."""
    kept = "".join(c if c in "-_" or (c.isascii() and c.isalnum()) else f"_{ord(c)}_" for c in name)
    return f"n_{kept.replace('-', '_')}"
