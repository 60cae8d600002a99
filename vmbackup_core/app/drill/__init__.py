"""Restore tests: a turn, a night, slots, runs and the janitor, over the ports."""
