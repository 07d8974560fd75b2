"""Figures, not pass or fail: what the scoring path costs, beside what it could cost at best."""
