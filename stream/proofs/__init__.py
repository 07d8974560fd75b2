"""What can be proved of a policy before anything runs: pure, and nothing claimed on a guess."""
