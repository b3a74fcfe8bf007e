"""A rate of few losses is shown with the counts that it hangs on."""

import io

import msgspec
from rich.console import Console

from analysis.form.parts import Check
from analysis.terminal.training import _fidelity
from longhaul.emulation.fidelity import counts


def test_a_checked_loss_prints_its_counts_and_other_rows_none() -> None:
    loss = Check(
        what="c1-c2 loss c1→c2",
        asked=2e-4,
        measured=7 / 29_832,
        error=0.17,
        unit="ratio",
        limit=2.0,
        ok=True,
        quantity="loss",
        counts=counts(6.0, 7, 29_832),
    )
    out = io.StringIO()
    rows = [loss, msgspec.structs.replace(loss, what="c1-c2 RTT", counts="")]
    Console(file=out, width=200).print(_fidelity(rows))
    assert "c1-c2 loss c1→c2: expected 6.0, saw 7 of 29,832" in out.getvalue()
    assert "c1-c2 RTT:" not in out.getvalue()
