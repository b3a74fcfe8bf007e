"""The typed objects that topologies and workloads come to: frozen, in SI units."""
