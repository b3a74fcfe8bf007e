"""Unions whose members no key tells apart (a name, or a list of names): which one was meant, and what is wrong with it.

Pydantic tells what is wrong with every member, and names each in the path as Python does (`list[LayerModel]`). Here
that becomes what is wrong with the member that was meant: it is of the same form as what was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from scenario.text.forms import Location, branch_at
from scenario.text.tree import Listing, Node, Scalar, child

UNION, NEITHER = "union", "neither"
"""Types of complaints: one that stands for those of all members of a union, until they are known; and one about what no
member takes, whose context has what each says."""


@dataclass(frozen=True)
class Wrong:
    """One complaint of pydantic's: `loc` less what stands in no document, its type and what it says."""

    loc: Location
    type: str
    message: str
    context: dict[str, Any]


def settled(details: Sequence[ErrorDetails], root: Node, model: type[BaseModel]) -> list[Wrong]:
    """The complaints about what was meant, in the order of pydantic's."""
    found = [
        Wrong(tuple(one["loc"]), one["type"], one["msg"], dict(one.get("ctx", {})))
        for one in details
    ]
    while any(branch_at(model, one.loc) is not None for one in found):
        found = _less_a_branch(found, root, model)
    return found


def _less_a_branch(found: Sequence[Wrong], root: Node, model: type[BaseModel]) -> list[Wrong]:
    """With one step fewer in the path of each complaint that has one too many."""
    rest: list[Wrong] = []
    unions: dict[Location, dict[str, list[Wrong]]] = {}
    for one in found:
        at = branch_at(model, one.loc)
        if at is None:
            rest.append(one)
            continue
        if one.loc[:at] not in unions:
            rest.append(replace(one, loc=one.loc[:at], type=UNION))
        shorter = replace(one, loc=one.loc[:at] + one.loc[at + 1 :])
        unions.setdefault(one.loc[:at], {}).setdefault(str(one.loc[at]), []).append(shorter)
    made: list[Wrong] = []
    for one in rest:
        made += (
            _meant(unions[one.loc], _node(root, one.loc), one.loc) if one.type == UNION else [one]
        )
    return made


def _meant(members: dict[str, list[Wrong]], node: Node | None, loc: Location) -> list[Wrong]:
    """What is wrong inside the member of the written form, of several inside the nearest; else that it is none."""
    if "float" in members:
        members.pop("int", None)  # every whole number is a number
    fitting = [wrong for name, wrong in members.items() if _form(name) == _written(node)]
    if fitting and (inside := [wrong for wrong in fitting if wrong[0].loc != loc]):
        return min(inside, key=len)
    first = [wrong[0] for wrong in [*fitting, *members.values()]]
    each = list({id(one): one for one in first}.values())
    return [Wrong(loc, NEITHER, "", {"each": each, "fits": bool(fitting)})]


def _form(member: str) -> str:
    """What a member of a union is, by pydantic's name for it: models are called by their class."""
    if member.startswith("list["):
        return "list"
    return "mapping" if member[:1].isupper() or member.startswith("dict[") else "scalar"


def _written(node: Node | None) -> str:
    if isinstance(node, Scalar):
        return "scalar"
    return "list" if isinstance(node, Listing) else "mapping"


def _node(root: Node, loc: Location) -> Node | None:
    """What stands at a path, the tags of unions left out."""
    node: Node | None = root
    for step in loc:
        below = child(node, step)
        node = below if below is not None else node
    return node
