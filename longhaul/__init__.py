"""longhaul: synchronous training across data-centre campuses, emulated with real packets in virtual time."""

__version__ = "0.1.0"
