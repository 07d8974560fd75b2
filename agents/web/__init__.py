"""The HTTP API and the live page: reads topics and the store, and manages webhooks."""
