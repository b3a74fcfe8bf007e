"""Solution of lab 6: years by the aging model, then runs on either side of where the rate under loss falls below
the step's."""

from pathlib import Path

import yaml

import longhaul as lh

own = yaml.safe_load(Path("lab.yaml").read_text())["parameters"]
base = lh.Topology.load("glass.yaml")


def aged(year: int, condition: str, aging: str) -> lh.Topology:
    return base.set({f"links.c1-c2.{key}": value for key, value in
                     {"age": f"{year}y", "condition": condition, "aging": aging}.items()})  # fmt: skip


def share(year: int) -> float:
    try:
        return aged(year, own["condition"], "step").elaborated.links[0].rate_share
    except lh.InvalidInput:
        return 0.0


def ring_s(year: int, aging: str) -> float:
    try:
        return lh.run(aged(year, "damp", aging)).training.collective.p50_s
    except (lh.InvalidInput, lh.MachineError):
        return float("inf")


def loss(year: int) -> float:
    try:
        return aged(year, "damp", "loss").elaborated.links[0].forward.loss
    except lh.InvalidInput:
        return 1.0


last = max(year for year in range(120) if share(year) >= 0.5)
first = next(year for year in range(1, 60) if loss(year) > 1e-5)
turn = next(year for year in range(first, 60) if ring_s(year, "step") < ring_s(year, "loss"))
Path("answers.yaml").write_text(yaml.safe_dump({"last-year": last, "stepping-from": turn}))
