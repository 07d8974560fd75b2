"""Runs a log under two policies, offline, on all processors."""
