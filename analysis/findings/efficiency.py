"""What the hardware was used for: goodput, MFU, and what stood idle, in GPU-hours and in money.

In: a run and where its ranks' time went. Out: shares, and amounts per hour of training. Money only where the
workload names a price.
"""

from __future__ import annotations

import polars as pl

from analysis.form.training import Efficiency, HardwareCost
from analysis.run import Run


def efficiency(run: Run, ranks: pl.DataFrame, iteration_s: float) -> Efficiency:
    """What the GPUs were used for. `ranks` is as of `stalls.by_rank`.

    `goodput`: the share of GPU time in which GPUs compute. `mfu`: model FLOP per second, 6·N·tokens,
    over the dense peak of all GPUs [Chowdhery et al. 2022, appendix B]; None where the plan has no
    peak. `tokens_per_s`: None where the workload has no tokens. `idle_gpus`: as many GPUs as do nothing, on
    average; also GPU-hours per hour.
    """
    gpus = int(ranks["gpus"].sum())
    busy = float((ranks["gpus"] * ranks["compute_s"]).sum()) / (gpus * iteration_s)
    return Efficiency(
        goodput=busy,
        mfu=_mfu(run, iteration_s),
        tokens_per_s=run.workload["tokens"] / iteration_s if "tokens" in run.workload else None,
        gpus=gpus,
        flops=_flops(run),
        idle_gpus=gpus * (1 - busy),
        price=_price(run, gpus * (1 - busy), gpus),
    )


def _flops(run: Run) -> float:
    """What all hosts that take part achieve together, as planned for a model of usual size."""
    taking_part = set(run.ranks["rank"])
    hosts = [host for campus in run.plan["campuses"] for host in campus["hosts"]]
    return float(sum(host.get("flops", 0.0) for host in hosts if host["rank"] in taking_part))


def _mfu(run: Run, iteration_s: float) -> float | None:
    taking_part = set(run.ranks["rank"])
    hosts = [host for campus in run.plan["campuses"] for host in campus["hosts"]]
    peak_flops = sum(host.get("peak_flops", 0.0) for host in hosts if host["rank"] in taking_part)
    if not peak_flops or "tokens" not in run.workload:
        return None
    flop = 6 * float(run.workload["parameters"]) * float(run.workload["tokens"])
    return float(flop / iteration_s / peak_flops)


def _price(run: Run, idle_gpus: float, gpus: int) -> HardwareCost | None:
    """What an hour of training costs, and how much of that is for GPUs that do nothing."""
    gpu_hour = run.workload.get("gpu_hour")
    if not gpu_hour:
        return None
    amount = gpu_hour["amount"]
    return HardwareCost(
        currency=gpu_hour["currency"],
        gpu_hour=amount,
        per_hour=amount * gpus,
        idle_per_hour=amount * idle_gpus,
    )
