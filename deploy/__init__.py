"""What an operator starts from: policies, manifests, rules. Data only, read as package files."""
