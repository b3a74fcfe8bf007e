"""Every kind of workload, and the module that prepares it."""

from __future__ import annotations

from longhaul.dsl.background_types import Background
from longhaul.dsl.inference_types import Inference
from longhaul.dsl.probing_types import Probing
from longhaul.dsl.trace_types import TraceReplay
from longhaul.dsl.types import Training, Workload
from traffic import benchmark, training
from traffic.background import kind as background
from traffic.benchmark import Benchmark
from traffic.kind import Kind
from traffic.oneway import kind as oneway
from traffic.serving import kind as serving
from traffic.traces import replay as traces

KINDS: dict[type[Workload], Kind] = {
    Benchmark: benchmark,
    Training: training,
    Inference: serving,
    TraceReplay: traces,
    Probing: oneway,
    Background: background,
}
"""See `traffic.kind` for what it takes to add one."""
