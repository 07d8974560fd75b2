"""Tests of tierstream; run them with `make test`."""
