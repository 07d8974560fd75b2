"""Webhooks: what is published, sent to systems without Kafka, by the Standard Webhooks rules."""
