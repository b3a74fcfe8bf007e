"""Other people's software over RDMA, unmodified: UCX, Open MPI over it, PyTorch's RPC, and RDMA-CM over Soft-iWARP."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from longhaul.machine.kernel import cache_folder
from tests.run.conftest import longhaul

PAIR = """\
longhaul: 1
name: pair
mtu: 4200
rdma: {congestion: window}
defaults:
  campuses: {hosts: [{count: 1, accelerator: H100, name: h, nics: 1, nic: 10Gbit/s}]}
campuses: {c1: {}, c2: {}}
links:
  c1-c2: {between: [c1, c2], delay: 500us, rate: 10Gbit/s}
"""
UCX = """
export UCX_NET_DEVICES=rxe0:1 UCX_TLS=rc_verbs,ud_verbs,self
if [ $RANK = 0 ]; then
  timeout 60 ucx_perftest >/dev/null; timeout 60 ucx_perftest -p 13338 >/dev/null
  ib_send_lat -d rxe0 -F -n 50 -s 8 -u 20 >/dev/null
else
  sleep 1; timeout 50 ucx_perftest 10.1.1.1 -t tag_bw -s 1048576 -n 40 -w 4
  rdma statistic show link rxe0/1
  sleep 1; timeout 50 ucx_perftest 10.1.1.1 -p 13338 -t tag_lat -s 8 -n 200 -w 20 | sed s/Final/Latency/
  sleep 1; ib_send_lat -d rxe0 -F -n 50 -s 8 -u 20 10.1.1.1
fi
"""
MESSAGES, PACKETS = 40, 256
TORCH = os.environ.get("LONGHAUL_TORCH_PYTHON", str(cache_folder() / "torch" / "bin" / "python"))
RPC = """
import os, time, torch
from torch.distributed import rpc
rank = int(os.environ["RANK"])
options = rpc.TensorPipeRpcBackendOptions(_transports=["ibv"], _channels=["basic"], rpc_timeout=100)
rpc.init_rpc(f"w{rank}", rank=rank, world_size=2, rpc_backend_options=options)
if rank == 0:
    for count in (1, 1 << 20, 1 << 22):
        began = time.monotonic_ns()
        total = rpc.rpc_sync("w1", torch.sum, args=(torch.ones(count),))
        print("sum", count, float(total), time.monotonic_ns() - began, flush=True)
rpc.shutdown()
if rank == 0:
    time.sleep(1)  # what all meet by is in this process, and the other has yet to hear its last answer
print("ended", flush=True)
"""
PINGS, PING_BYTES = 50, 60_000
IWARP = f"""
rdma link delete rxe0
if [ $RANK = 0 ]; then
  timeout 20 rping -s -a 10.1.1.1 -C {PINGS} -S {PING_BYTES} -V; echo "served $?"
else
  sleep 1; timeout 18 rping -c -a 10.1.1.1 -C {PINGS} -S {PING_BYTES} -V; echo "pinged $?"
  rdma link; cat /sys/class/net/$GLOO_SOCKET_IFNAME/statistics/tx_bytes
fi
"""
ALL_REDUCE = """
#include <mpi.h>
#include <stdio.h>
#define N (1 << 20)
static float own[N], sum[N];
int main(int argc, char **argv)
{
	int rank;
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	for (int i = 0; i < N; i++)
		own[i] = rank + i % 7;
	MPI_Allreduce(own, sum, N, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
	for (int i = 0; i < N; i++)
		if (sum[i] != 1 + 2 * (i % 7))
			return 1;
	if (!rank)
		printf("all right\\n");
	MPI_Finalize();
}
"""
MPI = r"""
echo $$ > /tmp/pid.$RANK
if [ $RANK = 0 ]; then
  sleep 1
  printf '%s\n' '#!/bin/bash' 'while [[ $1 == -* ]]; do shift; done' \
    'case $1 in 10.1.1.1) n=0;; *) n=1;; esac; shift' \
    'exec nsenter -t $(cat /tmp/pid.$n) -n -u -p -m -r --wdns=/tmp -- /bin/sh -c "$*"' > /tmp/rsh; chmod +x /tmp/rsh
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  timeout 100 mpirun --host 10.1.1.1:1,10.2.1.1:1 -np 2 --mca plm_rsh_agent /tmp/rsh --mca pml ucx \
    --mca btl ^openib,vader --mca osc ^ucx -x UCX_NET_DEVICES=rxe0:1 -x UCX_TLS=rc_verbs,ud_verbs,self \
    -x UCX_UD_VERBS_ETH_DGID_CHECK -x LD_PRELOAD --mca mpi_yield_when_idle 1 $PWD/all-reduce
else sleep 110; fi
rdma statistic show link rxe0/1
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ucx_perftest"), reason="no UCX: apt-get install ucx-utils")
def test_ucx_sends_over_reliable_connections_that_it_made_over_datagrams(
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR)
    done = longhaul("exec", tmp_path / "pair.yaml", "--", "bash", "-c", UCX)
    assert done.status == 0, done.out + done.complaint
    (line,) = re.findall(r"^c2-h-1: Final: +(.*)", done.out, re.M)
    mebibytes_per_s = float(line.split()[4])
    # Of 1232.5 MB/s that frames have room for; some messages are under way at a time, over a round trip of 1 ms.
    assert 500 < mebibytes_per_s * 1.048576 < 1232.5
    (sent,) = re.findall(r"^c2-h-1: link rxe0/1 sent_pkts (\d+)", done.out, re.M)
    assert int(sent) > MESSAGES * PACKETS
    # Eight bytes take as long as perftest's do: half a round trip, waited for by events and not by naps.
    (latency,) = re.findall(r"^c2-h-1: Latency: +(.*)", done.out, re.M)
    (asked,) = re.findall(r"^c2-h-1: +8 +50 +(.*)", done.out, re.M)
    average_us, perftest_us = float(latency.split()[2]), float(asked.split()[3])
    assert 500 < perftest_us < 505
    assert average_us == pytest.approx(perftest_us, rel=0.01)


@pytest.mark.slow
@pytest.mark.skipif(not Path(TORCH).exists(), reason="no PyTorch (800 MB): ./setup.sh torch")
def test_remote_calls_of_torch_go_over_the_adapters_and_their_sums_are_right(
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR)
    (tmp_path / "calls.py").write_text(RPC)
    script = f"{TORCH} {tmp_path}/calls.py || exit 1; rdma statistic show link rxe0/1"
    exposed = ("--expose", tmp_path, "--expose", Path(TORCH).parents[1])
    done = longhaul("exec", tmp_path / "pair.yaml", *exposed, "--", "bash", "-c", script)
    if "Numpy is not available" in done.out:
        pytest.skip("PyTorch's RPC wants NumPy, which an older ./setup.sh torch has not installed")
    assert done.status == 0, done.out + done.complaint
    assert len(re.findall(r": ended$", done.out, re.M)) == 2
    sums = re.findall(r": sum (\d+) ([\d.]+) (\d+)$", done.out, re.M)
    assert [(int(count), float(total)) for count, total, _ in sums] == [
        (count, count) for count in (1, 1 << 20, 1 << 22)
    ]
    for count, _, took_ns in sums:
        wire_ns = 4 * int(count) / 1232.5e6 * 1e9 + 1e6
        assert wire_ns < int(took_ns) < 2 * wire_ns
    (sent,) = re.findall(r"^c1-h-1: link rxe0/1 sent_pkts (\d+)", done.out, re.M)
    assert int(sent) > 4 * (1 + 2**20 + 2**22) / 4096


@pytest.mark.slow
def test_rdma_cm_works_over_soft_iwarp(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    """Who calls an address takes the first device that has it: Soft-RoCE's, if that were still there."""
    (tmp_path / "pair.yaml").write_text(PAIR.replace("congestion: window", "iwarp: true"))
    done = longhaul("exec", tmp_path / "pair.yaml", "--", "bash", "-c", IWARP)
    assert done.status == 0, done.out + done.complaint
    assert "c1-h-1: served 0" in done.out
    assert "c2-h-1: pinged 0" in done.out, "-V: what comes back is what was sent"
    assert re.findall(r"^c2-h-1: link (\w+)/1", done.out, re.M) == ["siw0"]
    (sent_bytes,) = re.findall(r"^c2-h-1: (\d+)$", done.out, re.M)
    assert int(sent_bytes) > PINGS * PING_BYTES


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("mpicc") or not shutil.which("ucx_perftest"),
    reason="no Open MPI with UCX: apt-get install openmpi-bin libopenmpi-dev ucx-utils",
)
def test_an_all_reduce_of_open_mpi_goes_over_the_adapters_and_is_right(
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR)
    (tmp_path / "all-reduce.c").write_text(ALL_REDUCE)
    built = ["mpicc", "-o", str(tmp_path / "all-reduce"), str(tmp_path / "all-reduce.c")]
    subprocess.run(built, check=True)
    script = MPI.replace("$PWD", str(tmp_path))
    words = ("--expose", tmp_path, "--", "bash", "-c", script)
    done = longhaul("exec", tmp_path / "pair.yaml", *words)
    assert done.status == 0, done.out + done.complaint
    assert "c1-h-1: all right" in done.out
    (sent,) = re.findall(r"^c2-h-1: link rxe0/1 sent_pkts (\d+)", done.out, re.M)
    assert int(sent) > 2**22 / 4096
