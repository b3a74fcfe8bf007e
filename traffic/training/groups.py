"""Which hosts work on the same thing: all, or those of a campus; and which have the same part in other groups."""

from __future__ import annotations

from scenario.plan.types import Plan


def groups_within(within: str, plan: Plan) -> list[tuple[int, ...]]:
    """Ranks, group by group: one of `all`, or one per `campus`. Raises ValueError where campuses have not equally many
    hosts."""
    if within == "all":
        return [tuple(host.rank for host in plan.hosts)]
    campuses = dict.fromkeys(host.campus for host in plan.hosts)
    groups = [tuple(h.rank for h in plan.hosts if h.campus == name) for name in campuses]
    if len({len(group) for group in groups}) > 1:
        counts = ", ".join(
            f"{name}: {len(group)}" for name, group in zip(campuses, groups, strict=True)
        )
        raise ValueError(f"`within: campus` needs campuses of equally many hosts, not {counts}")
    return groups


def twins(groups: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Ranks that have the same part, one of each group; none where there is one group."""
    return [tuple(same) for same in zip(*groups, strict=True)] if len(groups) > 1 else []
