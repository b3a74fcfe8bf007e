"""OSNR and GSNR of amplified lines against GNPy (Telecom Infra Project), which computes them channel by channel.

The figures beside each case are GNPy 3.0.1's, with its analytic GN model and amplifiers of a fixed noise figure.
"""

from __future__ import annotations

import pytest

from scenario.topology.line import OpticalLine, gsnr_db, osnr_db

CASES = [
    (OpticalLine(1, 80e3), 36.448, 32.396),
    (OpticalLine(5, 80e3), 29.450, 25.389),
    (OpticalLine(10, 80e3), 26.430, 22.358),
    (OpticalLine(20, 80e3), 23.400, 19.305),
    (OpticalLine(10, 50e3), 32.433, 24.480),
    (OpticalLine(10, 100e3, launch_dbm=1), 23.416, 19.831),
    (OpticalLine(5, 80e3, loss_db_per_km=0.22, connector_db=1), 26.851, 24.357),
    (OpticalLine(12, 80e3, noise_figure_db=4.5, launch_dbm=-1), 25.644, 22.672),
    (
        OpticalLine(8, 80e3, channels=60, symbols_per_s=63.1e9, spacing_hz=75e9, launch_dbm=2),
        29.401,
        25.851,
    ),
    (OpticalLine(15, 60e3, channels=20, launch_dbm=-2), 26.681, 24.187),
]


@pytest.mark.parametrize(("line", "osnr", "gsnr"), CASES)
def test_osnr_and_gsnr_agree_with_gnpy_within_half_a_decibel(
    line: OpticalLine, osnr: float, gsnr: float
) -> None:
    assert osnr_db(line) == pytest.approx(osnr, abs=0.5)
    assert gsnr_db(line) == pytest.approx(gsnr, abs=0.5)


@pytest.mark.parametrize(("line", "osnr", "gsnr"), CASES)
def test_the_figures_beside_the_cases_are_gnpys_own(
    line: OpticalLine, osnr: float, gsnr: float
) -> None:
    pytest.importorskip("gnpy", reason="no GNPy: make setup, with Python 3.11 or 3.12")
    from tests.scenario.gnpy_line import gnpy_db

    assert gnpy_db(line) == pytest.approx((osnr, gsnr), abs=0.01)
