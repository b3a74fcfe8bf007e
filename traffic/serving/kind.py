"""Inference as a kind of workload: programs for gateways and replicas, and what they have noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from scenario.plan import forwarding
from scenario.plan.forwarding import Ways
from scenario.plan.types import Plan, PlannedHost
from scenario.types.inference import Inference
from scenario.workload.placement import hosts_on
from traffic.adapters import FEWEST, roce_settings
from traffic.events import read_adapters
from traffic.host.transport import Settings
from traffic.kind import Assignment, Placed, Prepared, Tables
from traffic.model.wires import Wires
from traffic.serving.expected import (
    Carried,
    Hands,
    carried,
    first_token_s,
    handover_s,
    prefill_s,
    speed,
)
from traffic.serving.line import ANSWERER, HEADER
from traffic.serving.logs import read_logs
from traffic.serving.program import Called, Due, GatewayProgram, ReplicaProgram
from traffic.serving.requests import Request, requests

MODELLED: tuple[str, ...] = (
    "an answer is computed in steps that sleep as long as a roofline says: 2·N·tokens ÷ (peak × share"
    " achieved in training), or all weights and contexts ÷ memory bandwidth, whichever is longer",
    "how much memory contexts take is not bounded, only how many requests are worked on at a time",
    "a context goes to another replica as a whole when its prompt is read, not layer by layer before",
    "a client knows only its own requests; tokenising, sampling and HTTP cost nothing",
)
TRANSPORT = Settings(prompt=True)
"""What comes is acknowledged at once: TCP holds back acknowledgements of bytes fewer than a full packet's,
and scaling leaves few of a token's. Real ones would be acknowledged."""


@dataclass(frozen=True)
class ServiceOnFabric:
    """A workload on its fabric: who asks what, and who answers; `readers` read prompts for those, where there are
    any."""

    workload: Inference
    plan: Plan
    ways: Ways
    clients: Sequence[PlannedHost]
    replicas: Sequence[PlannedHost]
    readers: Sequence[PlannedHost]
    asked: Sequence[Request]
    sizes: Carried


def prepare(workload: Inference, plan: Plan, seed: int) -> Prepared:
    """A program for each client and each replica. Raises ValueError where there is none of either."""
    service = _service(workload, plan, seed)
    answering = "answerer" if service.readers else "replica"
    programs = {host.name: _replica(service, host, answering) for host in service.replicas}
    programs |= {host.name: _replica(service, host, "reader") for host in service.readers}
    for index, client in enumerate(service.clients):
        programs[client.name] = _gateway(service, client, index)
    return Prepared(programs, _about(service), _quiet_s(service))


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The tables `requests` and `tokens`, and what the hosts' adapters counted."""
    assert isinstance(placed.workload, Inference)
    clients = _clients(placed.workload, placed.plan)
    return read_logs(placed, clients, folder, start_ns) | read_adapters(placed, folder)


def _clients(workload: Inference, plan: Plan) -> list[PlannedHost]:
    """Where requests come from, in the order in which they are named. Raises ValueError."""
    probes = {probe.campus: probe for probe in plan.probes}
    known = probes | {host.name: host for host in plan.hosts}
    unknown = [name for name in workload.clients if name not in known]
    if unknown:
        raise ValueError(
            f"clients: no campus with a long-haul link, and no host that {workload.name} runs on, is called"
            f" {unknown[0]}; there are {', '.join(known)}"
        )
    chosen = [known[name] for name in dict.fromkeys(workload.clients)] or list(probes.values())
    if not chosen:
        raise ValueError(
            "there is no long-haul link that users could come in by: name hosts as `clients`"
        )
    return chosen


def _service(workload: Inference, plan: Plan, seed: int) -> ServiceOnFabric:
    clients = _clients(workload, plan)
    replicas = [host for host in plan.hosts if host not in clients]
    if not replicas:
        raise ValueError("every host is a client: none is left to answer")
    reading = _reading(workload, replicas)
    readers = [host for host in replicas if host.name in reading]
    replicas = [host for host in replicas if host.name not in reading]
    asked = requests(workload, len(clients), seed)
    if not any(request.at_ns >= workload.warmup_s * 1e9 for request in asked):
        raise ValueError("no request comes after the warm-up: more requests, or a longer duration")
    sizes = carried(workload, plan)
    ways = forwarding.of(plan)
    return ServiceOnFabric(workload, plan, ways, clients, replicas, readers, asked, sizes)


def _reading(workload: Inference, replicas: Sequence[PlannedHost]) -> set[str]:
    """The names of those that read prompts only. Raises ValueError where somebody is missing."""
    for pattern in workload.prefill_on:
        if not hosts_on([pattern], replicas):
            names = ", ".join(host.name for host in replicas)
            raise ValueError(
                f"prefill-on: no host that {workload.name} runs on is matched by {pattern}; there are {names}"
            )
    reading = set(hosts_on(workload.prefill_on, replicas)) if workload.prefill_on else set()
    if len(reading) == len(replicas):
        raise ValueError("prefill-on: every host reads prompts only: none is left to answer")
    return reading


def _settings(service: ServiceOnFabric) -> Settings:
    """What carries requests and tokens. Raises ValueError where an adapter is asked for and there is none."""
    transport = service.workload.transport
    if transport.kind == "tcp":
        return TRANSPORT
    for client in service.clients:
        if client.rank < 0:
            raise ValueError(
                f"clients: the border of {client.campus} has no adapter for RDMA: name hosts"
            )
    return roce_settings(Wires(service.plan, transport), transport, FEWEST)


def _replica(service: ServiceOnFabric, host: PlannedHost, module: str) -> Assignment:
    program = ReplicaProgram(
        rank=host.rank,
        address=host.ip,
        gateways=len(service.clients),
        speed=speed(service.workload, host),
        batch_requests=service.workload.batch_requests,
        batch_tokens=service.workload.batch_tokens,
        token_bytes=service.sizes.token_bytes,
        transport=_settings(service),
        answerers=tuple(one.ip for one in service.replicas) if module == "reader" else (),
        context_token=service.sizes.context_token,
        readers=len(service.readers) if module == "answerer" else 0,
    )
    return Assignment(f"traffic.serving.{module}", program)


def _gateway(service: ServiceOnFabric, client: PlannedHost, index: int) -> Assignment:
    program = GatewayProgram(
        routing=service.workload.routing,
        replicas=_called(service, client, service.replicas),
        readers=_called(service, client, service.readers),
        requests=tuple(
            Due(one.number, one.at_ns, one.prompt, one.output, _padding(service, one))
            for one in service.asked
            if one.client == index
        ),
        token_bytes=service.sizes.token_bytes,
        transport=_settings(service),
    )
    return Assignment("traffic.serving.gateway", program)


def _padding(service: ServiceOnFabric, request: Request) -> int:
    """The bytes that follow a request's header; there is room to say who answers, where another reads the prompt."""
    least = ANSWERER.size if service.readers else 0
    return max(least, service.sizes.request_bytes(request.prompt) - HEADER.size)


def _called(
    service: ServiceOnFabric, client: PlannedHost, pool: Sequence[PlannedHost]
) -> tuple[Called, ...]:
    """Replicas that do the same, as far from a client as the closest of them in the same campus."""
    nearest: dict[str, int] = {}
    for host in pool:
        ends = service.ways.walk(client, host)
        delay_ns = round(sum(end.shape.delay_s for end in ends) * 1e9)
        nearest[host.campus] = min(delay_ns, nearest.get(host.campus, delay_ns))
    return tuple(Called(host.rank, host.ip, nearest[host.campus]) for host in pool)


def _about(service: ServiceOnFabric) -> dict[str, Any]:
    workload = service.workload
    return {
        "parameters": workload.parameters,
        "requests": len(service.asked),
        "warmup_s": workload.warmup_s,
        "routing": workload.routing,
        "clients": [client.name for client in service.clients],
        "replicas": [host.name for host in service.replicas],
        "readers": [host.name for host in service.readers],
        "objectives": {
            "first_token_s": workload.first_token_objective_s,
            "token_s": workload.token_objective_s,
        },
        "prediction": _prediction(service),
    }


def _prediction(service: ServiceOnFabric) -> dict[str, Any]:
    """How long the first token takes that a replica works on alone, for the median prompt."""
    prompts = sorted(request.prompt for request in service.asked)
    typical = prompts[len(prompts) // 2]
    return {
        "prompt_tokens": typical,
        "first_token": [
            _expected(service, Hands(client, reader, answerer), typical)
            for client in service.clients
            for reader in service.readers or service.replicas
            for answerer in (
                _first_of_each_campus(service.replicas) if service.readers else [reader]
            )
        ],
    }


def _expected(service: ServiceOnFabric, hands: Hands, prompt: int) -> dict[str, Any]:
    workload, ways = service.workload, service.ways
    expected = {
        "client": hands.client.name,
        "replica": hands.reader.name,
        "seconds": first_token_s(workload, ways, hands, prompt),
        "prefill_s": prefill_s(workload, hands.reader, prompt),
    }
    if hands.answerer != hands.reader:
        expected["answerer"] = hands.answerer.name
        expected["handover_s"] = handover_s(workload, ways, hands, prompt)
    return expected


def _first_of_each_campus(hosts: Sequence[PlannedHost]) -> list[PlannedHost]:
    return list({host.campus: host for host in reversed(hosts)}.values())


def _quiet_s(service: ServiceOnFabric) -> float:
    """No two arrivals are further apart, and no answer takes longer where nobody else is served, but for contexts on
    all ways at a time."""
    asked, workload = service.asked, service.workload
    gaps_ns = [later.at_ns - earlier.at_ns for earlier, later in pairwise(asked)]
    slowest = min([*service.replicas, *service.readers], key=lambda host: host.memory_Bps)
    prompt = max(request.prompt for request in asked)
    output = max(request.output for request in asked)
    step_s = speed(workload, slowest).step_s(workload.batch_requests, prompt + output)
    alone_s = prefill_s(workload, slowest, prompt) + output * step_s
    if service.readers:
        at_a_time = len(service.readers) * len(service.replicas)
        alone_s += at_a_time * max(
            handover_s(workload, service.ways, Hands(reader, reader, answerer), prompt)
            for reader in _first_of_each_campus(service.readers)
            for answerer in _first_of_each_campus(service.replicas)
        )
    return max([*gaps_ns, asked[0].at_ns]) / 1e9 + alone_s
