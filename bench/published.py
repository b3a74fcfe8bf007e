"""The catalogue against what was published: `python -m bench.published` prints both side by side."""

from __future__ import annotations

from tests.scenario.published import rows


def main() -> None:
    """A row per publication; those that an entry was made from first."""
    print("GPU    precision parameters  published    ours  error  MFU with attention: told, ours")
    for row in sorted(rows(), key=lambda one: one.held_out):
        told = f"{row.mfu:.1%}, {row.mfu_with_attention:.1%}" if row.mfu else "–"
        print(
            f"{row.accelerator:6} {row.precision:9} {row.parameters / 1e9:8.1f}B {row.tokens_per_s:10.1f}"
            f" {row.ours_per_s:7.0f} {row.error:+6.1%}  {told}  {'held out: ' if row.held_out else ''}{row.source}"
        )


if __name__ == "__main__":
    main()
