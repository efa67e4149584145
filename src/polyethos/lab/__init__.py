"""Controlled pre-training of small models."""
