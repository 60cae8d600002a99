"""A simulated Azure that real clients cannot tell from the real one on the routes it has."""
