"""Concept vectors in the formats of other tools."""
