"""python -m longhaul.inside RUN: do the job in `RUN/job.json` on a fabric as `RUN/plan.json` says.

Results go to files in RUN. The last line of the progress says that the job is done, or what stopped it.
"""

from __future__ import annotations

import gc
import json
import sys
import traceback
from contextlib import closing
from pathlib import Path

from longhaul.emulation.hosts import HostError
from longhaul.inside.control import Stopped
from longhaul.inside.killed import KernelLog, be_the_last_to_go, starved
from longhaul.inside.stage import stage, tell
from longhaul.inside.verbs import VERBS
from scenario.job import read
from scenario.plan.types import from_json


def main(folder: Path) -> None:
    """Carry out the job of a run folder.

    Garbage is not collected: that looks at the clock, which takes virtual time, whenever there happens to
    be enough of it.
    """
    gc.disable()
    job = read(folder)
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    if job.verb in ("run", "exec"):
        be_the_last_to_go()
    with closing(KernelLog()) as log:
        try:
            with stage(plan, job, folder) as fabric:
                status = VERBS[job.verb](fabric)
            tell(folder, phase="end", status=status)
        except Stopped as stop:
            tell(folder, stopped=str(stop))
        except (HostError, OSError) as stop:
            tell(folder, stopped=starved(log) or str(stop))
        except Exception:
            found = starved(log)
            tell(folder, **({"stopped": found} if found else {"crashed": traceback.format_exc()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
