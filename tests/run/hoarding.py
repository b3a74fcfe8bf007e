"""The payload of a guest in which somebody, on one host, takes all memory in the midst of the workload."""

import subprocess
import sys
from pathlib import Path

from longhaul.inside import verbs
from longhaul.inside.__main__ import main
from longhaul.inside.stage import Stage

HOARD = """
import os, time
open("/proc/self/oom_score_adj", "w").write("0")
time.sleep(5)
hoard = []
while True:
    hoard.append(b"x" * 10_000_000)
"""
_run = verbs.VERBS["run"]


def hoarded(fabric: Stage) -> int:
    """The run, and the hoarder beside it in its host's network."""
    home = fabric.hosts.pids[fabric.plan.hosts[-1].name]
    subprocess.Popen(["nsenter", f"--net=/proc/{home}/ns/net", sys.executable, "-c", HOARD])
    return _run(fabric)


verbs.VERBS["run"] = hoarded
main(Path(sys.argv[1]))
