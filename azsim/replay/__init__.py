"""Recorded traffic of real Azure, played against azsim: what differs, and where."""
