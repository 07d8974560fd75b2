"""docs/events.md and docs/policy-reference.md, made from the models.

`python -m schemas.reference --write` renews them.
"""
