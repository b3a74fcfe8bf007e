"""From the events of a run to an answer: tables, findings, pictures and the report.

Everything here reads a run folder (`docs/architecture.md`) and nothing else; the definitions are in
`docs/analysis.md`. `python -m analysis stalls RUN` and its siblings work alone on a run folder.
"""
