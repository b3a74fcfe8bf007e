"""python -m tests.controller.reaching RUN: everybody sends to everybody, in a guest; and one host to
another over many connections. The answer is `reached.json` in RUN.

Also the job of each host (`run`): it sends numbered datagrams to all others and counts what comes.
"""

import json
import socket
import struct
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

PORT = 9100
SETTLE_S = 2.0
GAP_S = 200e-6
NUMBER = struct.Struct("!HH")


def run(job, channel):
    """Bind, say so, wait for the word, send to each address `times` numbered datagrams from ports of
    their own, take in what comes: {"from": how many of each host, "again": how many came twice}."""
    incoming = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    incoming.bind(("", PORT))
    incoming.setblocking(False)
    channel.say({"state": "ready"})
    channel.hear()
    for number in range(job["times"]):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, job["dscp"] << 2)
            sock.bind(("", 20_000 + number))
            for address in job["addresses"]:
                sock.sendto(NUMBER.pack(job["own"], number), (address, PORT))
                time.sleep(GAP_S)
    time.sleep(SETTLE_S)
    seen: Counter[tuple[int, int]] = Counter()
    while True:
        try:
            seen[NUMBER.unpack(incoming.recv(64))] += 1
        except BlockingIOError:
            break
    incoming.close()
    found = Counter(own for own, _ in seen)
    again = sum(count - 1 for count in seen.values())
    channel.say({"from": sorted(found.items()), "again": again})


def main(folder: Path) -> None:
    from longhaul.inside.stage import stage, tell
    from scenario.job import read
    from scenario.plan.types import from_json

    job, cases = read(folder), json.loads((folder / "cases.json").read_text())
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            answer = [reach(fabric, **case) for case in cases]
        (folder / "reached.json").write_text(json.dumps(answer))
        tell(folder, phase="end")
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def reach(fabric, senders, times, dscp):
    """Datagrams from each of `senders` (None: everybody) to all others. What each host got, and what
    each long-haul interface has sent."""
    from bench.failing import sent

    hosts = fabric.plan.hosts + fabric.plan.probes
    before = sent(fabric.plan)
    jobs = []
    for own, host in enumerate(hosts):
        sends = senders is None or host.name in senders
        others = [one.ip for one in hosts if one != host] if sends else []
        jobs.append(
            fabric.hosts.job(
                host.name, "tests.controller.reaching",
                own=own, addresses=others, times=times, dscp=dscp,
            )
        )  # fmt: skip
    for job in jobs:
        job.hear()
    for job in jobs:
        job.tell({"go": True})
    heard = [job.hear() for job in jobs]
    for job in jobs:
        job.close()
    after = sent(fabric.plan)
    return {"heard": heard, "sent": {name: after[name] - before[name] for name in after}}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
