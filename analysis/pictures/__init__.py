"""Pictures as SVG, DOT and Mermaid, from a plan or from findings."""
