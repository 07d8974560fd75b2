"""Wire contracts and the policy language. Imports nothing of ours from outside this package."""
