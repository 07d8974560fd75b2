"""What time alone will bring, what would prevent it, and who must be warned of it. Pure."""
