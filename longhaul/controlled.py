"""What only a fabric with our controller has."""

from __future__ import annotations

from scenario.text.diagnostics import InvalidInput, Place, Source, complain
from scenario.types.topology import Topology


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
