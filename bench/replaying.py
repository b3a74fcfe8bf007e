"""Inside a guest: echoes over a long-haul link, then the ranks' programs; no more than is timed.

    python -m bench.replaying RUN     (as the payload of a guest; RUN as `longhaul run` prepares it)

The progress says `rtts_s`, then each iteration that all ranks have ended.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

from longhaul.emulation.fidelity import directions
from longhaul.inside.flows import counted
from longhaul.inside.replay import replay
from longhaul.inside.stage import Stage, stage, tell
from scenario.job import read
from scenario.plan.types import from_json

ECHOES = 10


def main(folder: Path) -> None:
    """Carry out the job of a run folder."""
    job = read(folder)
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            tell(folder, rtts_s=[echo_s(fabric) for _ in range(ECHOES)])
            with counted(plan, folder / "events"):
                replay(fabric)
        tell(folder, phase="end")
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def echo_s(fabric: Stage) -> float:
    """The round trip of one ICMP echo over the first long-haul link, seconds."""
    way = next(directions(fabric.plan))
    arguments = {"address": way.sink.ip, "count": 1}
    job = fabric.hosts.job(way.source.name, "traffic.host.probe", role="echo", arguments=arguments)
    rtt_s = float(job.hear()["rtt_s"])
    job.close()
    return rtt_s


if __name__ == "__main__":
    main(Path(sys.argv[1]))
