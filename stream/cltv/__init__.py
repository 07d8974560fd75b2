"""Customer lifetime value: what a customer is expected to buy yet, and what that is worth.

One file for each idea: a customer's purchases, how often they come, what they are worth, the
measure that policies name, and the fit of its parameters to a history. Models compute in
floats; what leaves this package as a reading is an integer.
"""
