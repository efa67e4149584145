"""Work that can be killed at any moment and goes on from there."""
