"""What the HTTP API answers, and what it is asked. The OpenAPI document is made from these."""
