"""The timeline's part of the topology language: what happens to the fabric while a workload runs.

One model per kind of event, told apart by `event`. When something happens and how long it lasts is
said alike for all of them (`Timed`); what makes no sense in it is for `happenings` to tell.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.text.fields import (
    Age,
    CampusName,
    Delay,
    Duration,
    Moment,
    Name,
    Pattern,
    Period,
    PositiveShare,
)
from scenario.text.strict import Strict
from scenario.topology.impaired import Impaired

Ways: TypeAlias = Literal["both", "forward", "backward"]


class Flaps(Strict):
    """A link that goes down by itself, now and then, at random."""

    mtbf: Period
    """Mean time that it stays up (exponential; the run's seed draws)."""
    mttr: Duration
    """Mean time that it stays down (exponential)."""


class Timed(Strict):
    """When an event happens and how long it lasts. All times are the run's, from the workload's start.

    Exactly one of `at`, `every` and `mtbf`; then `for`, `mttr`, or, for what happens once, neither.
    """

    name: Name | None = None
    """Its name in reports and pictures; else its kind and number, such as `link-flap-2`."""
    at: Moment | None = None
    """When it happens, once."""
    every: Period | None = None
    """The time from one to the next, where it happens again and again."""
    mtbf: Period | None = None
    """The mean time from one's end to the next, where chance decides (exponential; the run's seed draws)."""
    start: Moment | None = Field(default=None, alias="from")
    """With `every`, when the first one is (else after one period); with `mtbf`, from when on chance decides."""
    lasts: Duration | None = Field(default=None, alias="for")
    """How long it lasts; where neither this nor `mttr` is said, it lasts."""
    mttr: Duration | None = None
    """How long it lasts on average, where chance decides (exponential)."""


class OnLinks(Timed):
    """An event of one long-haul link, or of several at once."""

    link: Pattern
    """The link, or a pattern such as `c1-*`: all that match at once, as cables in one duct are."""


class OnWays(OnLinks):
    """An event of links that may be of one direction only."""

    direction: Ways = "both"
    """In which direction."""


class OnHosts(Timed):
    """An event of hosts: of those that `hosts` names, or of a whole campus."""

    hosts: Pattern | None = None
    """A host, or a pattern such as `c1-*`."""
    campus: CampusName | None = None
    """In place of `hosts`: all hosts of this campus."""


class LinkDown(OnLinks):
    """A link without light, in both directions: a cut, a pulled connector."""

    event: Literal["link-down"]
    """A link is down."""


class LinkFlap(OnLinks):
    """A link that goes down several times in quick succession: a bad connector, a restarting transponder."""

    event: Literal["link-flap"]
    """A link goes down and up again, several times."""
    times: int = Field(default=3, ge=2, le=10_000)
    """How often it goes down, each time that this happens; each down lasts `for` or `mttr`."""
    pause: Duration | None = None
    """How long it is up in between; else as long as `for` or `mttr`."""


class Degrade(Impaired, OnWays):
    """A link that treats packets otherwise for a while. What is not given stays as it is."""

    event: Literal["degrade"]
    """A link does something else to packets."""
    delay: Delay | None = None
    """One-way delay, as after protection switching to a longer path."""


class RateStep(OnLinks):
    """A link whose transponders step down to a slower modulation, in both directions."""

    event: Literal["rate-step"]
    """A link runs at a lower rate."""
    share: PositiveShare
    """The share of its rate that is left."""


class Drift(Strict):
    """A link that ages while the workload runs: years pass in seconds, in equal steps.

    It begins at the link's own `age`, ends at `to-age`, and stays so.
    """

    event: Literal["drift"]
    """A link ages."""
    name: Name | None = None
    """Its name in reports and pictures; else its kind and number."""
    link: Pattern
    """The link, or a pattern such as `c1-*`."""
    at: Moment
    """When it begins."""
    lasts: Duration = Field(alias="for")
    """How long it takes."""
    to_age: Age
    """The age at the end."""
    steps: int = Field(default=10, ge=1, le=1000)
    """In how many steps; the link is never older than the time would have it."""


class PowerLoss(Timed):
    """A campus without power: all of its hosts are off, all of its long-haul links dark."""

    event: Literal["power-loss"]
    """A campus is without power."""
    campus: CampusName
    """The campus."""


class Throttle(OnHosts):
    """Hosts whose GPUs are clocked down: cooling that fails, a cap on power."""

    event: Literal["throttle"]
    """Hosts compute more slowly."""
    slowdown: float = Field(gt=1, le=1000)
    """Their compute takes this many times as long, on top of their own `slowdown`."""


class Crash(OnHosts):
    """Hosts that crash, and come back when it is over."""

    event: Literal["crash"]
    """Hosts are down."""


class ControllerCrash(Timed):
    """The network's controller is away; switches forward by the rules that they have."""

    event: Literal["controller-crash"]
    """The controller is down."""


EventModel: TypeAlias = Annotated[
    LinkDown
    | LinkFlap
    | Degrade
    | RateStep
    | Drift
    | PowerLoss
    | Throttle
    | Crash
    | ControllerCrash,
    Field(discriminator="event"),
]
