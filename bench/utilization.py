"""Utilization at scale: `python -m bench.utilization` prints how much large jobs get on, by Daly."""

from __future__ import annotations

from analysis.series.utilization import (
    LLAMA_GPUS,
    Reliability,
    best_interval_s,
    restart_for_share,
    useful_share,
)

SCALES = (10_000, LLAMA_GPUS, 50_000, 100_000, 200_000)
CASES = {
    "default": Reliability(),
    "fast": Reliability(checkpoint_s=5, restart_s=180),
    "slow": Reliability(checkpoint_s=60, restart_s=600),
}


def main() -> None:
    """A row per scale."""
    print("   GPUs  failure every  checkpoint every  useful (fast … slow)  restart for 11 %")
    for gpus in SCALES:
        by = CASES["default"]
        shares = {name: useful_share(gpus, case) for name, case in CASES.items()}
        print(
            f"{gpus:7,}  {by.job_mtbf_s(gpus) / 60:9.1f} min  {best_interval_s(gpus, by):14.0f} s"
            f"  {shares['default']:6.1%} ({shares['fast']:.0%} … {shares['slow']:.0%})"
            f"  {restart_for_share(gpus, 0.11, by) / 60:10.0f} min"
        )


if __name__ == "__main__":
    main()
