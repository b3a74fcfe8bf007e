"""PyTorch's own all-reduce (Gloo), as `longhaul exec` runs it on every host.

    python gloo_ring.py BYTES ITERATIONS     (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT as torchrun sets them)

Prints `iteration N START END` in nanoseconds of the guest's clock, behind a barrier each, and `wrong` for a sum
that is not right.
"""

import sys
import time

import torch
import torch.distributed as dist


def main(size_bytes: int, iterations: int) -> None:
    """Sum buffers of 32-bit numbers over all ranks, again and again."""
    dist.init_process_group("gloo")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    numbers = torch.empty(size_bytes // 4)
    for iteration in range(iterations):
        numbers.fill_(float(rank + 1))
        dist.barrier()
        start_ns = time.monotonic_ns()
        dist.all_reduce(numbers)
        end_ns = time.monotonic_ns()
        right = bool((numbers == ranks * (ranks + 1) / 2).all())
        print(f"iteration {iteration} {start_ns} {end_ns}" if right else "wrong", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
