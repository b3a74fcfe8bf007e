"""How much of the time a large job gets on: failures, checkpoints and restarts, by Daly's model. Pure.

In: GPUs, and what fails how often. Out: the best interval between checkpoints, and the share of the time that is
useful. A job of n GPUs fails n times as often as one; work since the last checkpoint is lost, and a restart takes its
time. The expected time for a stretch τ of work with checkpoint δ, restart R and mean time between failures M, failures
being exponential, is M·e^(R/M)·(e^((τ+δ)/M) − 1) [Daly 2006, A higher order estimate of the optimum checkpoint interval
for restart dumps, eq. 20].

Defaults: Llama 3's 405B met 466 interruptions in 54 days on 16,384 GPUs, 419 of them unexpected, and was training for
more than 90 % of the time [Grattafiori et al. 2024, section 3.3.4]: a failure in 46,000 GPU-hours. Assumed: a
checkpoint stalls for 10 s (range 5 to 60), and a job is back at work after 5 minutes (range 3 to 10); with 30 s and
10 minutes Llama 3 would have had 87 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LLAMA_GPUS, LLAMA_DAYS, LLAMA_INTERRUPTIONS = 16_384, 54, 466
GPU_MTBF_S = LLAMA_GPUS * LLAMA_DAYS * 86400 / LLAMA_INTERRUPTIONS


@dataclass(frozen=True)
class Reliability:
    """Seconds between failures of one GPU (with all that it needs), of a checkpoint, and to be back after a failure."""

    gpu_mtbf_s: float = GPU_MTBF_S
    checkpoint_s: float = 10.0
    restart_s: float = 300.0

    def job_mtbf_s(self, gpus: float) -> float:
        """Seconds between failures of a job that any of them stops."""
        return self.gpu_mtbf_s / gpus


def best_interval_s(gpus: float, by: Reliability) -> float:
    """Work between checkpoints [Daly 2006, eq. 37]: √(2δM)·(1 + √(δ/2M)/3 + δ/18M) − δ; M where those take longer."""
    mtbf_s, write_s = by.job_mtbf_s(gpus), by.checkpoint_s
    if write_s >= 2 * mtbf_s:
        return mtbf_s
    ratio = write_s / (2 * mtbf_s)
    return math.sqrt(2 * write_s * mtbf_s) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - write_s


def useful_share(gpus: float, by: Reliability, interval_s: float | None = None) -> float:
    """The share of the time in which the job gets on, at the best interval or another one."""
    mtbf_s = by.job_mtbf_s(gpus)
    work_s = best_interval_s(gpus, by) if interval_s is None else interval_s
    if (work_s + by.checkpoint_s) / mtbf_s > 500:
        return 0.0
    lasts_s = (
        mtbf_s * math.exp(by.restart_s / mtbf_s) * math.expm1((work_s + by.checkpoint_s) / mtbf_s)
    )
    return work_s / lasts_s


def restart_for_share(gpus: float, share: float, by: Reliability) -> float:
    """Seconds that restarts would have to take for the job to get on for no more than that share, by bisection."""
    low, high = 0.0, 30 * by.job_mtbf_s(gpus) + by.restart_s
    for _ in range(80):
        middle = (low + high) / 2
        found = useful_share(gpus, Reliability(by.gpu_mtbf_s, by.checkpoint_s, middle))
        low, high = (middle, high) if found > share else (low, middle)
    return low
