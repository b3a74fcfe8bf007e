"""The payload of a guest that carries its workload out twice, the second time warm.

The first time's rows stay in `first/`.
"""

import sys
from pathlib import Path

from longhaul.emulation import build, openvswitch
from longhaul.inside import verbs
from longhaul.inside.__main__ import main
from longhaul.inside.capture import capturing
from longhaul.inside.flows import counted
from longhaul.inside.replay import replay
from longhaul.inside.stage import Stage

_run = verbs.VERBS["run"]


def twice(fabric: Stage) -> int:
    """As a run; then its wires are shaped anew, under the same seed, and the workload is carried out again."""
    _run(fabric)
    events, first = fabric.folder / "events", fabric.folder / "first"
    events.rename(first)
    for path in [one for one in first.rglob("*") if one.is_dir()]:
        (events / path.relative_to(first)).mkdir(parents=True)
    build.impair(fabric.plan, fabric.job.seed)
    openvswitch.forget_flows()
    with counted(fabric.plan, events), capturing(fabric):
        verbs.settle()
        replay(fabric)
    return 0


verbs.VERBS["run"] = twice
main(Path(sys.argv[1]))
