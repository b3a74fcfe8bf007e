"""Timeouts under loss come as often at every scale, as a packet that stands for several vanishes only with its last."""

import re
from pathlib import Path

import pytest

from tests.run.conftest import longhaul

LOSS, MESSAGES = 1e-3, 10_000
PAIR = """\
longhaul: 1
name: pair
mtu: 4200
scale: {{bytes: {scale}}}
rdma: {{congestion: none}}
defaults:
  campuses: {{hosts: [{{count: 1, accelerator: H100, name: h, nics: 1, nic: {rate}Gbit/s}}]}}
campuses: {{c1: {{}}, c2: {{}}}}
links:
  c1-c2: {{between: [c1, c2], delay: 20us, rate: {rate}Gbit/s, backward: {{loss: {loss}}}}}
"""
WRITES = f"""
test="ib_write_bw -d rxe0 -F -s 4096 -n {MESSAGES} -t 1 -Q 1 -u 14"
if [ $RANK = 0 ]; then $test >/dev/null; else sleep 1; $test 10.1.1.1; rdma statistic show link rxe0/1; fi
"""


@pytest.mark.slow
@pytest.mark.parametrize("scale", [20, 200])
def test_as_many_messages_wait_out_a_timeout_at_every_scale(
    scale: int,
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    """Messages of one packet, one at a time: none comes after a lost one that would have it asked for again."""
    (tmp_path / "pair.yaml").write_text(PAIR.format(scale=scale, rate=10 * scale, loss=LOSS))
    done = longhaul("exec", tmp_path / "pair.yaml", "--", "bash", "-c", WRITES)
    assert done.status == 0, done.out + done.complaint
    (line,) = re.findall(r"^c2-h-1: link rxe0/1 (.*)", done.out, re.M)
    words = line.split()
    counted = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    naks = counted["rcvd_seq_err"]
    timeouts = counted["completer_retry_err"] - naks
    gone = 1 - (1 - LOSS) ** scale
    tries = MESSAGES / (1 - gone)
    expected = tries * LOSS
    assert timeouts == pytest.approx(expected, abs=3 * expected**0.5)
    torn = tries * (gone - LOSS)
    assert naks == pytest.approx(torn, abs=4 * torn**0.5)
    assert timeouts < tries * gone / 5, "were each of them gone as a whole, there would be so many"
