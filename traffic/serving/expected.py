"""What a plan lets one expect of requests before any are sent: how long messages are on their way, and
how long the first token takes where nobody else is served. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenario.plan.forwarding import Ways
from scenario.plan.types import Plan, PlannedHost
from scenario.types.achieved import achieved_flops
from scenario.types.inference import Inference
from scenario.types.topology import Transport
from traffic.framing import TCP, framing
from traffic.serving.batching import Speed
from traffic.serving.line import HEADER


@dataclass(frozen=True)
class Carried:
    """Payloads as the fabric carries them, in bytes: divided by the plan's scale as all payloads are,
    but a request has at least its header, and a token one byte."""

    scale: float
    prompt_token: float
    token_bytes: int

    def request_bytes(self, prompt: int) -> int:
        """Of a whole request with so many tokens."""
        return max(HEADER.size, round(prompt * self.prompt_token / self.scale))


def carried(workload: Inference, plan: Plan) -> Carried:
    """The sizes of a workload's messages on a plan's fabric."""
    token_bytes = max(1, round(workload.token_bytes / plan.scale_bytes))
    return Carried(plan.scale_bytes, workload.prompt_bytes, token_bytes)


def speed(workload: Inference, host: PlannedHost) -> Speed:
    """What a host does with the workload's model: two operations per parameter and token [Kaplan et
    al. 2020], at the share of the peak that the accelerator reaches in training such a model."""
    precision = "fp8" if workload.weight_bytes <= workload.parameters else "bf16"
    points = host.achieved
    return Speed(
        flops=achieved_flops(points, precision, workload.parameters) if points else host.flops,
        memory_Bps=host.memory_Bps * workload.bandwidth_share,
        token_flop=2 * workload.parameters,
        weight_bytes=workload.weight_bytes,
        kv_bytes=workload.kv_bytes,
    )


def message_s(
    ways: Ways, source: PlannedHost, sink: PlannedHost, size_bytes: int, transport: Transport = TCP
) -> float:
    """Seconds from handing a message to its transport to its last byte's arrival, on idle wires.

    Every wire takes in its first frame whole before it sends it on; the frames after it follow at the
    pace of the slowest. Raises LookupError where nothing leads from `source` to `sink`.
    """
    packets, ends = framing(ways.plan, transport), ways.walk(source, sink)
    first_bits = 8 * (min(size_bytes, packets.payload_bytes) + packets.header_bytes)
    all_bits = 8 * packets.on_wire_bytes(size_bytes)
    slowest_bps = min(end.shape.rate_bps for end in ends)
    first_s = sum(end.shape.delay_s + first_bits / end.shape.rate_bps for end in ends)
    return first_s + (all_bits - first_bits) / slowest_bps


def first_token_s(
    workload: Inference, ways: Ways, client: PlannedHost, replica: PlannedHost, prompt: int
) -> float:
    """Seconds from arrival to first token of a prompt that a replica serves alone."""
    sizes = carried(workload, ways.plan)
    there_s = message_s(ways, client, replica, sizes.request_bytes(prompt), workload.transport)
    back_s = message_s(ways, replica, client, sizes.token_bytes, workload.transport)
    return there_s + prefill_s(workload, replica, prompt) + back_s


def prefill_s(workload: Inference, replica: PlannedHost, prompt: int) -> float:
    """Seconds until a replica that serves nobody else has computed the first token of an answer."""
    works, cached, total_s = speed(workload, replica), 0, 0.0
    while cached < prompt:
        tokens = min(prompt - cached, workload.batch_tokens)
        total_s += works.step_s(tokens, cached)
        cached += tokens
    return total_s
