"""One customer under several ids: what was merged reads as if it had carried one id always."""
