"""Tests that need a real broker and a real Redis."""
