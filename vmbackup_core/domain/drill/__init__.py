"""Restore tests (drills): what is tested when, how far, and whose what lies around is."""
