"""What runs inside a guest on behalf of a lab: students' code is called here, and nowhere else."""
