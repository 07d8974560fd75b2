"""Brokers for the tests that pip cannot install."""
