"""What runs where the fabric is: in the guest, or as root on a kernel that can carry it."""
