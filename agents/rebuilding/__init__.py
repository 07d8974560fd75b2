"""Rebuilding what Redis held from what Kafka holds."""
