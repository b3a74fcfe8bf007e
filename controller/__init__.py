"""The control plane: os-ken (the maintained Ryu) applications that route the campuses."""
