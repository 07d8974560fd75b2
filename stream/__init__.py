"""The scorer: a pure core (one idea per file), the store's port, and its adapters.

Nothing in this package except `stream.adapters` performs I/O or reads a clock.
"""
