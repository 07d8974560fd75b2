"""Alerts to people: hearing of changes, saying them in words, and getting the words across."""
