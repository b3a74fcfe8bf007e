"""The language of studies: what is varied, over which points, and what is measured there. Pure."""
