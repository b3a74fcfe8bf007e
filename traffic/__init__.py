"""Collectives as schedules, the agent that replays them, and the programs that workloads become."""
