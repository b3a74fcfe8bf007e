"""How even DCQCN's shares of a wire are, by how long one looks: `python -m bench.rdma_shares [FLOWS…]`.

Two, four and eight flows through one port of 10 Gbit/s, as `bench/rdma.py dcqcn`. What each sender has sent is read
every 20 ms; the first half second in which all send is left out. Printed for each length of window, over all windows of
that length that begin 20 ms apart: the least share over the most, on average and at worst, and how far a flow was from
an even share at most. Below: the lag at which a flow's lead over an even share is 1/e of what it was (autocorrelation).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.rdma import ecn, one_switch, run

STEP_S = 0.02
"""The kernel reads a device's counters anew once in 10 ms."""
SETTLES_S = 0.5
LASTS_S = 6
WINDOWS_S = (0.05, 0.2, 0.5, 1, 2, 4)
LOOKS = f"""
python3 -c "
import time
path = '/sys/class/infiniband/rxe0/ports/1/hw_counters/sent_pkts'
at = int(time.time()) + 1
for _ in range({round((LASTS_S + 1) / STEP_S)}):
    time.sleep(max(at - time.time(), 0))
    print('sent', time.time_ns(), open(path).read().strip())
    at += {STEP_S}
" &
"""
Shares = npt.NDArray[np.float64]


def shares(flows: int) -> Shares:
    """Packets of each flow (columns) in each step (rows)."""
    topology = one_switch(flows, f"{{buffer: 12MB, {ecn('25%')}}}", "{congestion: dcqcn}")
    done = run(topology, beside=LOOKS, seconds=LASTS_S)
    seen: dict[int, dict[str, int]] = {}
    for line in done.lines:
        host, what, *words = line.replace(":", "").split()
        if what == "sent":
            at = round(int(words[0]) / 1e9 / STEP_S)
            seen.setdefault(at, {})[host] = int(words[1])
    full = [list(seen[at].values()) for at in sorted(seen) if len(seen[at]) == flows]
    if len(full) < 2:
        raise SystemExit(done.out)
    return np.diff(np.array(full, dtype=float), axis=0)


def settled(sent: Shares) -> Shares:
    """Of that the longest time in which all send, without its beginning."""
    edges = np.flatnonzero(np.diff([0, *(sent.min(axis=1) > 0), 0]))
    begin, end = max(edges.reshape(-1, 2), key=lambda span: span[1] - span[0])
    return sent[begin + round(SETTLES_S / STEP_S) : end - 1]


def windows(sent: Shares, window_s: float) -> Shares:
    """The same in all windows of a length."""
    steps = round(window_s / STEP_S)
    summed: Any = np.cumsum(np.vstack([np.zeros(sent.shape[1]), sent]), axis=0)
    found: Shares = summed[steps:] - summed[:-steps]
    return found


def stays_s(sent: Shares) -> float:
    """The lag at which a flow's lead is 1/e of what it was."""
    leads = sent / sent.mean(axis=1, keepdims=True) - 1
    leads = leads - leads.mean(axis=0)
    before = (leads**2).sum()
    for lag in range(1, len(leads)):
        if (leads[lag:] * leads[:-lag]).sum() < before / np.e:
            return lag * STEP_S
    return float("nan")


def row(flows: int) -> None:
    """What was measured of so many flows."""
    sent = settled(shares(flows))
    print(f"{flows} flows, {len(sent) * STEP_S:.1f} s", flush=True)
    for window_s in WINDOWS_S:
        found = windows(sent, window_s)
        if not len(found):
            continue
        even = found.min(axis=1) / found.max(axis=1)
        off = np.abs(found / found.mean(axis=1, keepdims=True) - 1).max()
        print(
            f"  {window_s:5} s: least/most {even.mean():.3f}, at worst {even.min():.3f}; off {off:.1%}"
        )
    print(f"  a lead lasts {stays_s(sent):.2f} s", flush=True)


if __name__ == "__main__":
    for count in map(int, sys.argv[1:] or ("2", "4", "8")):
        row(count)
