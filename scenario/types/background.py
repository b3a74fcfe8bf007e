"""What a workload of background load is once read: frozen, validated, in SI units."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.types.topology import Workload


@dataclass(frozen=True)
class Pattern:
    """When there is load: `constant`; `on-off`, for `busy_s` in turn with `idle_s`; or `pareto`, where those
    are the means of periods whose distribution has a tail of index `shape`."""

    kind: str
    busy_s: float = 0.0
    idle_s: float = 0.0
    shape: float = 0.0

    @property
    def duty(self) -> float:
        """The share of time with load, on average."""
        return 1.0 if self.kind == "constant" else self.busy_s / (self.busy_s + self.idle_s)


@dataclass(frozen=True, kw_only=True)
class Background(Workload):
    """Other people's traffic from one place to another: campuses (their borders) or hosts.

    `rate_bps` is of frames, unscaled, while there is load; `protocol` is `tcp` or `udp`.
    """

    kind = "background"
    exclusive = False

    origin: str
    target: str
    rate_bps: float
    protocol: str
    pattern: Pattern
