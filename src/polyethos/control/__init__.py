"""Editing the residual stream, and measuring what that does in every language."""
