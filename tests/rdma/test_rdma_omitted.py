"""What a run over RDMA had that its prediction leaves out is said beside it."""

import msgspec
import pytest

from analysis.findings.adapters import omitted
from analysis.form.beside import Adapters, PausedPort

NOTHING = Adapters(
    name="train", meaningful=True, sent_packets=0, received_packets=0, retransmissions=0,
    naks_received=0, timeouts=0, naks_sent=0, duplicates=0, not_ready_sent=0, not_ready_received=0,
    marked_packets=0, cnps_sent=0, cnps_received=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("met", "beyond_s", "said"),
    [
        ({}, 0.02, []),
        ({"cnps_received": 1234}, 0.0179, ["1,234 notifications came, and the collective took 17.9 ms longer."]),
        ({"cnps_received": 1234}, -0.001, []),
        ({"timeouts": 3}, 0.2, ["Timeouts of queue pairs are not in the model: there were 3."]),
        ({"cnps_received": 1, "timeouts": 1}, 0.2, ["took 200 ms longer.", "there were 1."]),
    ],
)  # fmt: skip
def test_what_the_adapters_met_that_the_model_knows_nothing_of(
    met: dict[str, int], beyond_s: float, said: list[str]
) -> None:
    found = omitted(msgspec.structs.replace(NOTHING, **met), beyond_s)
    assert [text.endswith(end) for text, end in zip(found, said, strict=True)] == [True] * len(said)


def test_of_pauses_the_longest_is_said_where_the_collective_took_longer() -> None:
    ports = [
        PausedPort("c1-b", "c1-b-eth3", "c2-b", 0.3, 0.62),
        PausedPort("l1", "l1-eth1", "s1", 0.1, 0.2),
    ]
    (said,) = omitted(NOTHING, 0.068, ports)
    assert said == (
        "Pauses are not in the model: c1-b's port to c2-b was held up for 62 % of the time,"
        " and the collective took 68 ms longer."
    )
    assert omitted(NOTHING, -0.001, ports) == []


def test_over_tcp_nothing_is_said() -> None:
    assert omitted(None, 1.0) == []
