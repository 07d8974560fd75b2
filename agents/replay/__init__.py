"""Replaying order histories: files to a log, the log to Kafka or through the pure core alone."""
