"""What can be proved of a policy before anything runs. Pure; nothing is claimed that was guessed."""
