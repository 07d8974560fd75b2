"""Gradings: each turns measures (and other gradings) into a tier. One kind per file."""
