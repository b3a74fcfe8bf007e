"""A line as GNPy computes it: fibres and amplifiers one after the other, with the channel in the middle read out."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import gnpy
from gnpy.core.elements import Edfa, Fiber
from gnpy.core.info import create_input_spectral_information
from gnpy.core.parameters import SimParams
from gnpy.tools.json_io import Amp, load_equipments_and_configs, network_from_json

from scenario.topology.line import CARRIER_HZ, REFERENCE_HZ, OpticalLine

EXAMPLES = Path(gnpy.__file__).parent / "example-data"
FIBRE = {
    "length_units": "km",
    "dispersion": 1.67e-05,
    "effective_area": 83e-12,
    "pmd_coef": 1.265e-15,
    "att_in": 0,
    "con_in": 0.0,
}


def gnpy_db(line: OpticalLine) -> tuple[float, float]:
    """OSNR and GSNR in 0.1 nm."""
    middle = line.channels // 2
    nli = {"method": "gn_model_analytic", "computed_channels": [middle + 1]}
    SimParams.set_params({"nli_params": nli, "raman_params": {"flag": False}})
    light = create_input_spectral_information(
        f_min=CARRIER_HZ - line.spacing_hz * middle,
        f_max=CARRIER_HZ + line.spacing_hz * (middle - (1 - line.channels % 2)),
        roll_off=0.01, baud_rate=line.symbols_per_s, spacing=line.spacing_hz,
        tx_osnr=100, tx_power=1e-3 * 10 ** (line.launch_dbm / 10),
    )  # fmt: skip
    for index in range(line.spans):
        light = _amplifier(line, index)(_fibre(line, index)(light))
    signal = light.signal[middle] * line.symbols_per_s / REFERENCE_HZ
    noise = light.ase[middle]
    ratios = (signal / noise, signal / (noise + light.nli[middle]))
    return 10 * math.log10(ratios[0]), 10 * math.log10(ratios[1])


def _fibre(line: OpticalLine, index: int) -> Fiber:
    own = {
        "length": line.span_m / 1000,
        "loss_coef": line.loss_db_per_km,
        "con_out": line.connector_db,
    }
    made = Fiber(uid=f"fibre {index}", params=FIBRE | own)
    made.ref_pch_in_dbm = line.launch_dbm
    return made


@cache
def _equipment() -> dict[str, Any]:
    found: dict[str, Any] = load_equipments_and_configs(EXAMPLES / "eqpt_config.json", [], [])
    return found


def _amplifier(line: OpticalLine, index: int) -> Edfa:
    equipment = _equipment()
    equipment["Edfa"]["fixed"] = Amp.from_json(
        {}, type_variety="fixed", type_def="fixed_gain", gain_flatmax=60, gain_min=0, p_max=40,
        nf0=line.noise_figure_db, allowed_for_design=False,
    )  # fmt: skip
    operational = {"gain_target": line.span_db, "tilt_target": 0, "out_voa": 0}
    element = {"uid": f"amplifier {index}", "type": "Edfa", "type_variety": "fixed"}
    network = network_from_json(
        {"elements": [element | {"operational": operational}], "connections": []}, equipment
    )
    (made,) = network.nodes()
    made.effective_gain, made.delta_p, made.out_voa, made.tilt_target = line.span_db, None, 0, 0
    return made
