"""The command line: one file a noun. Only here are click and rich imported, and heavy modules only inside commands."""
