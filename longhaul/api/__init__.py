"""The Python API: what `import longhaul` offers, a module per subject. docs/api.md is its manual."""
