"""python -m bench.failing RUN: cut spans of a running fabric, in a guest, while a stream crosses it.

RUN has `asked.json`, a Sending; the answer goes to `stream.json` there: what arrived and when.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longhaul.emulation import netlink
from longhaul.inside.stage import Stage, stage, tell
from scenario.job import read
from scenario.plan.types import Plan, from_json

LEAD_NS = 20_000_000
ANSWER = "stream.json"
ASKED = "asked.json"


@dataclass(frozen=True)
class Sending:
    """So many datagrams from `source` to `sink`, at even times; meanwhile `cuts` are made: at_ns, action,
    what."""

    source: str
    sink: str
    count: int
    gap_ns: int
    size_bytes: int
    cuts: tuple[tuple[int, str, str], ...]


def main(folder: Path) -> None:
    """Do the job of a run folder."""
    job = read(folder)
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            answer = stream(fabric)
        (folder / ANSWER).write_text(json.dumps(answer))
        tell(folder, phase="end")
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def stream(fabric: Stage) -> dict[str, Any]:
    """Have the stream flow and the cuts happen; sends and arrivals on one clock, zero at the start.
    Also what every long-haul interface has sent meanwhile."""
    asked = Sending(**json.loads((fabric.folder / ASKED).read_text()))
    hosts = {host.name: host for host in fabric.plan.hosts}
    start_ns = time.monotonic_ns() + LEAD_NS
    until_ns = start_ns + asked.count * asked.gap_ns
    receiver = fabric.hosts.job(asked.sink, "bench.stream", role="receive", until_ns=until_ns)
    receiver.hear()
    sender = fabric.hosts.job(
        asked.source, "bench.stream", role="send", address=hosts[asked.sink].ip,
        count=asked.count, gap_ns=asked.gap_ns, size_bytes=asked.size_bytes,
    )  # fmt: skip
    sender.hear()
    before = sent(fabric.plan)
    sender.tell({"start_ns": start_ns})
    for at_ns, action, what in asked.cuts:
        time.sleep(max(0, start_ns + at_ns - time.monotonic_ns()) / 1e9)
        act(fabric, action, what)
    sender.hear()
    arrived = receiver.hear()
    after = sent(fabric.plan)
    return {
        "numbers": arrived["numbers"],
        "times_ns": [at - start_ns for at in arrived["times_ns"]],
        "sent": {name: after[name] - before[name] for name in after},
    }


def act(fabric: Stage, action: str, what: str) -> None:
    """Set a link down or up at both ends, or kill or start the controller."""
    if what == "controller":
        {"kill": fabric.controller.kill, "start": fabric.controller.start}[action]()
        return
    requests = netlink.NetlinkBatch()
    (link,) = (link for link in fabric.plan.wires if link.name == what)
    for end in link.ends:
        {"down": requests.down, "up": requests.up}[action](end.index)
    requests.send()


def sent(plan: Plan) -> dict[str, int]:
    """Packets that each long-haul interface has sent."""
    return {
        end.interface: netlink.sent(end.interface).packets
        for link in plan.long_hauls()
        for end in link.ends
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
