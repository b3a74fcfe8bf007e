"""Has the observer capture links for as long as a workload runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict

from longhaul.folder import write_json
from longhaul.inside.stage import Stage
from traffic.host.hosts import OBSERVER

FOLDER = "captures"
INDEX = "captures.json"


@contextmanager
def capturing(fabric: Stage) -> Iterator[None]:
    """Capture what the job asks for; on leaving, the files are whole. Raises HostError.

    The body leaves the time at which the workload started in `events/start_ns`.
    """
    capture = fabric.job.capture
    if not capture:
        yield
        return
    folder = fabric.folder / FOLDER
    folder.mkdir()
    request = asdict(capture) | {"folder": str(folder), "application": "longhaul"}
    with closing(fabric.hosts.job(OBSERVER, "traffic.host.capture", **request)) as observer:
        observer.hear()
        yield
        observer.tell({"stop": int((fabric.folder / "events" / "start_ns").read_text())})
        write_json(folder / INDEX, observer.hear()["captured"])
