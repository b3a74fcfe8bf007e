"""Solution of lab 2: the rule for cubic, from the student's own parameters."""

from pathlib import Path

import yaml

own = yaml.safe_load(Path("lab.yaml").read_text())["parameters"]
pipe_bytes = own["rate_Gbps"] * 1e9 / 8 * 2 * own["distance_km"] * 4.897e-6
queue_bytes = pipe_bytes * (1 / 0.7 - 1)
answers = {"in-flight": f"{pipe_bytes:.0f}B", "queue": f"{queue_bytes:.0f}B"}
Path("answers.yaml").write_text(yaml.safe_dump(answers))
