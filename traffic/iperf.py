"""iperf3 between the first and the last of some hosts, by its Python bindings: traffic and a figure that are not ours.

    longhaul exec TOPOLOGY -- python3 -m traffic.iperf --megabytes 40

prints what iperf3 itself measured, as a line of JSON: goodput in bytes per second, bytes received, its version. It is
what longhaul's own check of goodput is held against. From 3.17 on iperf3 waits for its threads in loops, in which
virtual time never passes: such a one is refused with a sentence.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from ctypes import c_uint64
from ctypes.util import find_library
from typing import Any

import iperf3

PORT = 5201
FIRST_THAT_SPINS = (3, 17)
LISTENING_S = 0.5  # virtual seconds; how long the other side gives the server to listen


def main(words: Sequence[str] | None = None) -> int:
    """Serve on rank 0, send from the last rank; all others have nothing to do."""
    parser = argparse.ArgumentParser(prog="python -m traffic.iperf", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=40, help="how much to send (default 40)")
    size_bytes = parser.parse_args(words).megabytes * 1_000_000
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if rank not in (0, world - 1):
        return 0
    test = _test(rank)
    if spins(test.iperf_version):
        print(f"{test.iperf_version} never lets virtual time pass; 3.16 and older do")
        return 1
    return _serve(test) if rank == 0 else _send(test, size_bytes)


def spins(version: str) -> bool:
    """Whether an iperf3 that calls itself so waits in loops."""
    numbers = re.findall(r"\d+", version.removeprefix("iperf"))
    return tuple(map(int, numbers[:2])) >= FIRST_THAT_SPINS


def _test(rank: int) -> Any:
    library = find_library("iperf") or "libiperf.so.0"
    kind = iperf3.Server if rank == 0 else iperf3.Client
    return kind(lib_name=library)


def _serve(server: Any) -> int:
    server.bind_address = os.environ["MASTER_ADDR"]
    server.port = PORT
    result = server.run()
    if result.error:
        print(result.error, file=sys.stderr)
        return 1
    received = result.json["end"]["sum_received"]
    goodput_Bps = received["bytes"] / received["seconds"]
    print(
        json.dumps(
            {
                "goodput_Bps": goodput_Bps,
                "bytes": received["bytes"],
                "iperf": server.iperf_version,
            }
        )
    )
    return 0


def _send(client: Any, size_bytes: int) -> int:
    time.sleep(LISTENING_S)
    client.server_hostname = os.environ["MASTER_ADDR"]
    client.port = PORT
    client.duration = 0
    client.lib.iperf_set_test_bytes(client._test, c_uint64(size_bytes))
    error = client.run().error
    if error:
        print(error, file=sys.stderr)
    return 1 if error else 0


if __name__ == "__main__":
    sys.exit(main())
