"""What a plan lets one expect of requests before any are sent: how long messages are on their way, and
how long the first token takes where nobody else is served. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from scenario.plan.forwarding import Ways
from scenario.plan.types import Plan, PlannedHost
from scenario.types.achieved import achieved_flops
from scenario.types.inference import Inference
from scenario.types.topology import Transport
from traffic.framing import TCP, framing
from traffic.serving.batching import Speed
from traffic.serving.line import ANSWERER, CONTEXT, HEADER


@dataclass(frozen=True)
class Carried:
    """Payloads as the fabric carries them, in bytes: divided by the plan's scale as all payloads are,
    but a request has at least its header, and a token one byte; `context_token` is what attention keeps of one."""

    scale: float
    prompt_token: float
    token_bytes: int
    context_token: float

    def request_bytes(self, prompt: int) -> int:
        """Of a whole request with so many tokens."""
        return max(HEADER.size, round(prompt * self.prompt_token / self.scale))

    def context_bytes(self, prompt: int) -> int:
        """Of the message that hands over a prompt that is read."""
        return CONTEXT.size + max(1, round(prompt * self.context_token))


def carried(workload: Inference, plan: Plan) -> Carried:
    """The sizes of a workload's messages on a plan's fabric."""
    token_bytes = max(1, round(workload.token_bytes / plan.scale_bytes))
    context_token = workload.kv_bytes / plan.scale_bytes
    return Carried(plan.scale_bytes, workload.prompt_bytes, token_bytes, context_token)


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

    Every wire takes in a frame whole before it sends it on. So the first frame and the last, which may be smaller,
    cross every wire, and those between them follow at the pace of the slowest: the longest of the ways through
    frames and wires, by the wire at which the last frame comes up with the one before. Raises LookupError where
    nothing leads from `source` to `sink`.
    """
    packets, ends = framing(ways.plan, transport), ways.walk(source, sink)
    before, rest = divmod(size_bytes - 1, packets.payload_bytes)
    last_s = [8 * (rest + 1 + packets.header_bytes) / end.shape.rate_bps for end in ends]
    delay_s = sum(end.shape.delay_s for end in ends)
    if not before:
        return delay_s + sum(last_s)
    full_s = [8 * packets.frame_bytes / end.shape.rate_bps for end in ends]
    between_s = [(before - 1) * slowest for slowest in accumulate(full_s, max)]
    return delay_s + max(
        sum(full_s[: wire + 1]) + between_s[wire] + sum(last_s[wire:]) for wire in range(len(ends))
    )


class Hands(NamedTuple):
    """Those that a request goes through: where it comes from, who reads its prompt, and who answers."""

    client: PlannedHost
    reader: PlannedHost
    answerer: PlannedHost


def first_token_s(workload: Inference, ways: Ways, hands: Hands, prompt: int) -> float:
    """Seconds from arrival to first token of a prompt that is read alone."""
    client, reader, answerer = hands
    sizes, transport = carried(workload, ways.plan), workload.transport
    request_bytes = sizes.request_bytes(prompt)
    if answerer != reader:
        request_bytes = max(request_bytes, HEADER.size + ANSWERER.size)
    there_s = message_s(ways, client, reader, request_bytes, transport)
    back_s = message_s(ways, answerer, client, sizes.token_bytes, transport)
    handed_s = handover_s(workload, ways, hands, prompt)
    return there_s + prefill_s(workload, reader, prompt) + handed_s + back_s


def handover_s(workload: Inference, ways: Ways, hands: Hands, prompt: int) -> float:
    """Seconds from the end of a prompt's reading to its context's arrival where it is answered: at the pace of the
    slowest wire, which a connection reaches that has carried some before."""
    _, reader, answerer = hands
    if reader == answerer:
        return 0.0
    size = carried(workload, ways.plan).context_bytes(prompt)
    return message_s(ways, reader, answerer, size, workload.transport)


def prefill_s(workload: Inference, replica: PlannedHost, prompt: int) -> float:
    """Seconds until a replica that serves nobody else has computed the first token of an answer."""
    works, cached, total_s = speed(workload, replica), 0, 0.0
    while cached < prompt:
        tokens = min(prompt - cached, workload.batch_tokens)
        total_s += works.step_s(tokens, cached)
        cached += tokens
    return total_s
