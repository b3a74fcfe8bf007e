"""The payload of a guest whose links are measured three times as often before its workload, over longer."""

import sys
from pathlib import Path

from longhaul.emulation import fidelity
from longhaul.inside.__main__ import main

_clean = fidelity.FidelityCheck.clean


def thrice(check: fidelity.FidelityCheck) -> list[fidelity.Measured]:
    """Measure, and again, and again with other windows."""
    list(_clean(check))
    fidelity.WINDOW_ROUNDS, fidelity.LEAST_WINDOW_S = 9, 0.07
    list(_clean(check))
    return list(_clean(check))


fidelity.FidelityCheck.clean = thrice  # type: ignore[method-assign, assignment]
main(Path(sys.argv[1]))
