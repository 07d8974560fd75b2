"""Grafana dashboards: what is on them, and how they are made."""
