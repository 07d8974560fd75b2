"""Groups: what the users of a customer and the customers of a group add up to."""
