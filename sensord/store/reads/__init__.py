"""What the command line reads: SQL text through `Database`, one consistent look at a time. Nothing here writes."""
