"""Solution of lab 10: the model says where to look, runs decide; then notebook and report with what they measured."""

import json
from pathlib import Path

import yaml

import longhaul as lh

own = yaml.safe_load(Path("lab.yaml").read_text())["parameters"]
far = lh.Topology.load("far.yaml")
ddp, diloco = lh.Workload.load("ddp.yaml"), lh.Workload.load("diloco.yaml")
inner = own["inner_steps"]


def at(km: int) -> lh.Topology:
    return far.set("links.c1-c2.distance", f"{km}km")


def ahead_by_model(km: int) -> bool:
    return (
        lh.forecast(at(km), diloco)[0].iteration_s / inner < lh.forecast(at(km), ddp)[0].iteration_s
    )


guess = next(km for km in range(200, 3001, 100) if ahead_by_model(km))
ddp_s, diloco_s = {}, {}
for km in (guess - 100, guess):
    ddp_s[km] = lh.run(at(km), ddp).training.iterations.p50_s
    diloco_s[km] = lh.run(at(km), diloco).training.iterations.p50_s
km = next((one for one in ddp_s if diloco_s[one] / inner < ddp_s[one]), guess)
Path("answers.yaml").write_text(f"crossover-km: {km}\n")

cells = [
    f"inner_steps = {inner}\nddp_s = {ddp_s}\ndiloco_s = {diloco_s}\n",
    "ahead = {km: 1 - diloco_s[km] / inner_steps / ddp_s[km] for km in ddp_s}\nprint(ahead)\n",
    f"crossover_km = next((km for km in sorted(ahead) if ahead[km] > 0), {km})\n",
]
notebook = json.loads(Path("notebook.ipynb").read_text())
blank = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
notebook["cells"] = [
    blank | {"id": f"c{number}", "source": text} for number, text in enumerate(cells)
]
Path("notebook.ipynb").write_text(json.dumps(notebook))

rows = "\n".join(
    f"- {one} km: DDP {ddp_s[one]:.4f} s, DiLoCo {diloco_s[one] / inner:.4f} s" for one in ddp_s
)
Path("report.md").write_text(f"""# Report

## Question

Two campuses train one model. With DDP all hosts sum their gradients in every step, hidden behind the backward
pass as far as it goes; with DiLoCo each campus trains by itself for {inner} steps, and both then average what
they have learnt. From which distance on is a step of DiLoCo the shorter one, and when would one rather lease the
far campus out?

## Measurements

Medians of runs without loss, in seconds per step:

{rows}

A step of DDP grows with distance because a ring waits for one message after another, and at some point they no
longer fit behind the compute of the backward pass. A step of DiLoCo hardly grows: its one synchronization is
divided among {inner} steps. But inside a campus its sums are not hidden behind compute, so that near by it is
the slower one.

## Conclusion

The crossing lies at {km} km. Nearer than that DDP is the choice: it is as fast, and its result is that of plain
training. Farther off DiLoCo is faster, if the loss in convergence, which was not measured here, is acceptable;
it should be tried on a small model first. To lease the far campus out pays where its rent is more than the
training that it would have added, whatever the distance: a request crosses the border once, not in every step.
""")
