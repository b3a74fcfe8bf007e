"""TCP under loss on a long link, beside the formulas: is what the fabric's loss does to TCP right?

    python bench/loss.py

One connection for 40 virtual seconds over 1,000 km (10 ms of round trip, 1 Gbit/s, MTU 1500), at several
loss rates: Reno against Mathis et al. (CCR 1997), 1.22·MSS/(RTT·√p), and CUBIC against the average window
of RFC 9438, section 5.1, or Reno's where that is larger.

Every host runs this file too, as the command of `longhaul exec`: rank 0 sends, rank 1 counts.
"""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

MSS = 1448
RTT_S = 0.01
RATE_BPS = 1e9
SECONDS, SETTLING_S = 40.0, 10.0
LOSSES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
PORT = 5300
C, BETA = 0.4, 0.7  # CUBIC's constants [RFC 9438, section 4.6]
TOPOLOGY = """\
longhaul: 1
name: loss
mtu: 1500
accelerators:
  T1: {peak: 1TFLOP/s, mfu: 50%, hbm: 1TB/s, nic: 100Gbit/s, nvlink: 1GB/s, per-host: 1}
campuses:
  c1: {fabric: {kind: single, link-delay: 0us, host-delay: 0us}, hosts: [{count: 1, accelerator: T1}]}
  c2: {fabric: {kind: single, link-delay: 0us, host-delay: 0us}, hosts: [{count: 1, accelerator: T1}]}
links: {c1-c2: {between: [c1, c2], delay: 5ms, rate: 1Gbit/s, forward: {loss: LOSS}}}
"""


def mathis_Bps(loss: float) -> float:
    """Reno's goodput [Mathis et al. 1997], bounded by the link."""
    return min(RATE_BPS / 8, math.sqrt(1.5 / loss) * MSS / RTT_S)


def cubic_Bps(loss: float) -> float:
    """CUBIC's goodput: the larger of its own average window and of Reno's [RFC 9438, section 5.1]."""
    own: float = (C * (3 + BETA) / (4 * (1 - BETA))) ** 0.25 * RTT_S**0.75 / loss**0.75
    return min(RATE_BPS / 8, max(own, math.sqrt(1.5 / loss)) * MSS / RTT_S)


FORMULAS = {"reno": mathis_Bps, "cubic": cubic_Bps}


def main() -> None:
    table = Table(
        "loss",
        "congestion",
        "formula",
        "measured",
        "ratio",
        title="Goodput over 10 ms of round trip",
    )
    for congestion, formula in FORMULAS.items():
        for loss in LOSSES:
            found = measured_Bps(loss, congestion)
            expected = formula(loss)
            table.add_row(
                f"{loss:g}", congestion, f"{expected / 1e6:.2f} MB/s", f"{found / 1e6:.2f} MB/s",
                f"{found / expected:.2f}",
            )  # fmt: skip
    Console(width=90).print(table)


def measured_Bps(loss: float, congestion: str) -> float:
    """What the receiver counted per second once the connection had settled."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        topology = Path(folder) / "loss.yaml"
        topology.write_text(TOPOLOGY.replace("LOSS", f"{loss:g}"))
        command = [
            sys.executable,
            "-m",
            "longhaul",
            "exec",
            str(topology),
            "--patience",
            "900",
            "--",
        ]
        command += [sys.executable, str(Path(__file__).resolve()), congestion]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"goodput (\S+)", done.stdout)
    if not found:
        sys.exit(f"{done.stdout}{done.stderr}")
    return float(found[1])


def send(address: str, congestion: str) -> None:
    """As much as TCP takes, for SECONDS."""
    with socket.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
        while sock.connect_ex((address, PORT)):
            time.sleep(0.01)
        end_s = time.monotonic() + SECONDS
        data = bytes(1 << 18)
        while time.monotonic() < end_s:
            sock.sendall(data)


def count() -> None:
    """Print the goodput between SETTLING_S and SECONDS after the first byte."""
    with socket.create_server(("", PORT)) as server:
        sock, _ = server.accept()
    room = memoryview(bytearray(1 << 20))
    start_s = time.monotonic()
    total = 0
    while (now_s := time.monotonic() - start_s) < SECONDS:
        received = sock.recv_into(room)
        total += received if now_s >= SETTLING_S else 0
    print("goodput", total / (SECONDS - SETTLING_S), flush=True)


if __name__ == "__main__":
    if "RANK" not in os.environ:
        main()
    elif os.environ["RANK"] == "0":
        send("10.2.1.1", sys.argv[1])
    else:
        count()
