"""Inside a guest: the ranks' programs, and what the long-haul interfaces have sent when they are done.

python -m tests.run.counting RUN     (as the payload of a guest; RUN as `longhaul run` prepares it)
"""

import json
import sys
import traceback
from pathlib import Path

from longhaul.inside.replay import replay
from longhaul.inside.stage import stage, tell
from scenario.job import read
from scenario.plan.types import from_json


def main(folder: Path) -> None:
    job = read(folder)
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            replay(fabric)
            interfaces = [end.interface for link in plan.long_hauls() for end in link.ends]
            tell(folder, sent={name: sent(name) for name in interfaces})
        tell(folder, phase="end")
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def sent(interface: str) -> list[int]:
    """Bytes and packets, by the kernel's own count."""
    counters = Path("/sys/class/net", interface, "statistics")
    return [int((counters / name).read_text()) for name in ("tx_bytes", "tx_packets")]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
