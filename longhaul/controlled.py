"""What only a fabric with our controller has."""

from __future__ import annotations

from longhaul.dsl.diagnostics import InvalidInput, Place, Source, complain
from longhaul.dsl.types import Topology


def check_controlled(topology: Topology) -> None:
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
