"""iperf3 around a ring, as `longhaul exec` runs it on every host: RANK sends BYTES to RANK + 1.

    python iperf_ring.py BYTES ADDRESS…     (addresses by rank)

Three rounds, each from a fixed instant of the guest's clock: BLOCK bytes to warm up, BLOCK bytes again,
then all. So the last two rounds differ by the cost of the bytes alone. In virtual time the pauses
between them are free.
"""

import os
import subprocess
import sys
import time

BLOCK = 131_072
ROUND_S = 60.0
SETTLE_S = 1.0


def main(size_bytes: int, addresses: list[str]) -> None:
    """Take part in all rounds, saying `round N` at the end of each."""
    rank = int(os.environ["RANK"])
    for number, size in enumerate((BLOCK, BLOCK, size_bytes)):
        time.sleep((number + 1) * ROUND_S - time.monotonic())
        transfer(addresses[(rank + 1) % len(addresses)], size)
        print(f"round {number}", flush=True)


def transfer(address: str, size_bytes: int) -> None:
    """Serve one client, and be one. Raises CalledProcessError."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(["iperf3", "--server", "--one-off"], stdout=quiet):
        time.sleep(SETTLE_S)
        client = ["iperf3", "--client", address, "--bytes", str(size_bytes)]
        subprocess.run(client, stdout=quiet, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
