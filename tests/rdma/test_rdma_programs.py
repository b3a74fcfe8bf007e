"""Other people's software over RDMA, unmodified: UCX, and Open MPI over it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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
if [ $RANK = 0 ]; then timeout 60 ucx_perftest >/dev/null
else sleep 1; timeout 50 ucx_perftest 10.1.1.1 -t tag_bw -s 1048576 -n 40 -w 4; fi
rdma statistic show link rxe0/1
"""
MESSAGES, PACKETS = 40, 256
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
