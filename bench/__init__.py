"""What longhaul's own way of building and running a fabric wins, next to Mininet as shipped."""
