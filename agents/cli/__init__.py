"""The command `tierstream`: one file per subcommand. Nothing here scores."""
