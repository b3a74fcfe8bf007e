"""`routing:` of a topology: which policy, with which options, and what happens when a link fails.

A bare name is short for a mapping with `policy`. What an option means is the policy's business
(`controller/policies`); here is only whether it makes sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from scenario.text.diagnostics import InvalidInput, Place, Source, complain, nearest, one_of
from scenario.text.fields import CampusName, Delay, Duration, Name, Size
from scenario.text.short import Short
from scenario.text.strict import Strict
from scenario.text.tree import Problems, Steps
from scenario.types import topology as types

PolicyName: TypeAlias = Literal[
    "shortest-delay",
    "most-bandwidth",
    "ecmp",
    "wcmp",
    "loss-aware",
    "collective-aware",
    "static",
    "none",
]
OWNERS = {"detour": ("ecmp", "wcmp"), "message": ("loss-aware",), "paths": ("static",)}
"""Options that only some policies have."""


class PathModel(Strict):
    """A path between two campuses, given by hand."""

    between: list[CampusName] = Field(min_length=2, max_length=2)
    """The campus that it starts from, and the one that it leads to. The way back is another path."""
    over: list[Name] = Field(min_length=1, max_length=64)
    """The long-haul links that it takes, in order."""
    weight: int = Field(default=1, ge=1, le=64)
    """Its share of the traffic, beside other paths of the same pair."""


class RoutingModel(Strict):
    """How campuses are routed. A policy's name alone will do: `routing: ecmp`."""

    policy: PolicyName = "shortest-delay"
    """Which paths traffic takes between campuses. With `none` there is no controller: switches learn,
    and a spanning tree keeps them free of loops."""
    detour: int = Field(default=0, ge=0, le=8)
    """Of ecmp and wcmp: also use paths with so many links more than the fewest."""
    message: Size = 64e6
    """Of loss-aware: the size of message whose transfer time is weighed."""
    paths: list[PathModel] = Field(default=[], max_length=1000)
    """Of static: the paths. A pair of campuses that has none here takes the shortest."""
    protection: Literal["fast-failover", "none"] = "fast-failover"
    """What switches do when a link is cut: go over to a backup path by themselves, or nothing, until
    the controller has found new routes."""
    repair_after: Delay = 0.05
    """How long the controller takes from a cut to new routes (an assumption; computing takes no time
    here)."""
    hold_down: Duration = 1.0
    """How long a link that came back must stay up before it is used again; twice as long after each
    further cut, up to 64 times."""
    hash: Literal["drawn", "pinned"] = "drawn"
    """Which of several equal ways a connection's hash leads to. `pinned`: ranks and benchmarks leave from source ports
    with which the connections of one rank after another, and each further one between the same two, go over the
    ways in turn; `drawn`: from ports that know of no way."""
    hash_seed: int | None = Field(default=None, ge=0, lt=2**64)
    """What switches hash addresses and ports with, where several ways are equally good. Without it, the
    run's seed: another `--seed` is another draw of which connections meet on a link."""


RoutingField: TypeAlias = Annotated[RoutingModel, Short(get_args(PolicyName))]


def routing(
    written: RoutingModel, mtu_bytes: int, links: Sequence[types.LongHaul], problems: Problems
) -> types.Routing:
    """What is written, checked for its sense."""
    for option, owners in OWNERS.items():
        if option in written.model_fields_set and written.policy not in owners:
            message = f"`{option}` is no option of {written.policy}"
            problems.add_key(("routing", option), message, f"policy {one_of(list(owners))}")
    if written.policy == "static" and not written.paths:
        hint = "shortest-delay is the policy that needs none"
        problems.add(("routing",), "static routing without a path", "`paths`", hint)
    for index, path in enumerate(written.paths):
        _check_path(("routing", "paths", index), path, links, problems)
    return types.Routing(
        policy=written.policy,
        detour=written.detour,
        message_bytes=written.message,
        mtu_bytes=mtu_bytes,
        paths=tuple(
            types.StaticPath(path.between[0], path.between[1], tuple(path.over), path.weight)
            for path in written.paths
        ),
        protection=written.protection,
        repair_after_s=written.repair_after,
        hold_down_s=written.hold_down,
        pinned=written.hash == "pinned",
        hash_seed=written.hash_seed,
    )


def _check_path(
    steps: Steps, path: PathModel, links: Sequence[types.LongHaul], problems: Problems
) -> None:
    """Each link starts where the one before has led, no campus comes twice, the last one is right."""
    by_name = {link.name: link for link in links}
    campuses = {end for link in links for end in (link.a, link.b)}
    for index, campus in enumerate(path.between):
        if campus not in campuses:
            where, hint = (*steps, "between", index), nearest(campus, sorted(campuses))
            problems.add(where, "no link leads to such a campus", one_of(sorted(campuses)), hint)
            return
    visited = [path.between[0]]
    for index, name in enumerate(path.over):
        where = (*steps, "over", index)
        link = by_name.get(name)
        if link is None:
            hint = nearest(name, list(by_name))
            problems.add(where, "unknown link", one_of(sorted(by_name)), hint)
            return
        if visited[-1] not in (link.a, link.b):
            known = one_of(sorted(x.name for x in links if visited[-1] in (x.a, x.b)))
            problems.add(where, f"this link does not start at {visited[-1]}", known)
            return
        visited.append(link.b if visited[-1] == link.a else link.a)
        if visited[-1] in visited[:-1]:
            problems.add(where, f"the path comes back to {visited[-1]}", "each campus once")
            return
    if visited[-1] != path.between[1]:
        message = f"the path ends at {visited[-1]}"
        problems.add((*steps, "over"), message, f"a path that ends at {path.between[1]}")


def check_controlled(topology: types.Topology) -> None:
    """Raises InvalidInput where nobody is there to answer requests."""
    if topology.routing.policy == "none":
        raise InvalidInput(
            [
                complain(
                    Place(Source(topology.source)),
                    "with `routing: none` there is no controller that --rest could ask",
                    path="routing",
                    hint="any other routing has one, as --set routing=shortest-delay",
                )
            ]
        )
