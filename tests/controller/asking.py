"""python -m tests.controller.asking RUN: requests to the northbound API, in a guest, and what happens in
between. The answers are `asked.json` in RUN."""

import json
import socket
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

from longhaul.emulation import netlink
from longhaul.inside.stage import stage, tell
from scenario.job import read
from scenario.plan.types import from_json

API = "http://127.0.0.1:8080"
PINGS = 20
SETTLED_S = 1.0
"""Open vSwitch looks over its data plane, and adds up what that has counted, twice a second; after a change
of rules within 5 ms."""


def main(folder: Path) -> None:
    job, steps = read(folder), json.loads((folder / "steps.json").read_text())
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            answers = [step(fabric, *words) for words in steps]
        (folder / "asked.json").write_text(json.dumps(answers))
        tell(folder, phase="end")
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def step(fabric, what, *words):
    """Carry out one step: ask, ping, cut, or send bytes as they are."""
    return {"ask": ask, "ping": ping, "cut": cut, "raw": raw, "fuzz": fuzz}[what](fabric, *words)


def ask(_fabric, path, body=None, method=None):
    """A status, and the answer."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(API + path, data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            found = answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)
    time.sleep(SETTLED_S if data else 0)
    return found


def fuzz(_fabric, examples):
    """Requests made by rule from the API's own description: schemathesis' status, and its report."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", API + "/v1/openapi.json"]
    command += ["--max-examples", str(examples), "--generation-deterministic", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout[-6000:] + done.stderr[-2000:]


def raw(_fabric, text):
    """The answer to anything, as HTTP/0.9 has it: without a status."""
    with socket.create_connection(("127.0.0.1", 8080)) as sock:
        sock.sendall(text.encode())
        return json.load(sock.makefile())


def ping(fabric, source, address):
    """The first host's packets to an address, and the summary of them."""
    found = fabric.net[source].cmd(f"ping -c {PINGS} -i 0.01 -s 100 {address}")
    time.sleep(SETTLED_S)
    return next(line for line in found.splitlines() if "received" in line)


def cut(fabric, name):
    """Take the carrier of a link."""
    link = next(link for link in fabric.plan.wires if link.name == name)
    requests = netlink.NetlinkBatch()
    for end in link.ends:
        requests.down(end.index)
    requests.send()
    time.sleep(SETTLED_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
