"""Labelled arrays in, labelled arrays out; no torch."""
