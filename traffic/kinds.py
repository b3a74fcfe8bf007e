"""Every kind of workload, and the module that prepares it."""

from __future__ import annotations

from scenario.types.background import Background
from scenario.types.inference import Inference
from scenario.types.probing import Probing
from scenario.types.topology import Training, Workload
from scenario.types.trace import TraceReplay
from traffic import benchmark
from traffic.background import kind as background
from traffic.benchmark import Benchmark
from traffic.kind import Kind
from traffic.oneway import kind as oneway
from traffic.serving import kind as serving
from traffic.traces import kind as traces
from traffic.training import kind as training

KINDS: dict[type[Workload], Kind] = {
    Benchmark: benchmark,
    Training: training,
    Inference: serving,
    TraceReplay: traces,
    Probing: oneway,
    Background: background,
}
"""See `traffic.kind` for what it takes to add one."""
