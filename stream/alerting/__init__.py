"""Alerts to people: whom something concerns, and whether to say it now, later, or together. Pure.

What is said in which words, and how it gets there, is decided in `agents.alerts`.
"""
