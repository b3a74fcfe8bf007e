"""Other people's software over RDMA: UCX, unmodified."""

import re
import shutil
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
