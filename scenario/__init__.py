"""What is asked, as pure data: YAML text → topology and workload → plan. Imports none of the other packages."""
