"""The language of transports: what carries a workload's bytes."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from scenario.text.short import Short
from scenario.text.strict import Strict
from scenario.text.tree import Problems, Steps
from scenario.types.topology import Transport

Kind: TypeAlias = Literal["tcp", "roce"]


class TransportModel(Strict):
    """What carries the bytes. Its kind alone will do: `transport: roce`."""

    kind: Kind = "tcp"
    """`tcp`: the kernel's. `roce`: RDMA over Converged Ethernet (RoCEv2), reliable queue pairs of real verbs."""
    timeout: int | None = Field(default=None, ge=1, le=31)
    """Of roce: an adapter waits 4.096 us x 2^timeout for an acknowledgement, as NCCL_IB_TIMEOUT has it; else as
    long as the longest way asks for."""


TransportField: TypeAlias = Annotated[TransportModel, Short(get_args(Kind))]


def transport(written: TransportModel, steps: Steps, problems: Problems) -> Transport:
    """As it was written. Complains of what means nothing to its kind."""
    if written.timeout and written.kind != "roce":
        message = f"means nothing to {written.kind}"
        problems.add_key((*steps, "transport", "timeout"), message, "kind: roce")
    return Transport(written.kind, written.timeout)
