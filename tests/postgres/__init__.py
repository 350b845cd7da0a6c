"""A PostgreSQL of the tests' own: `fixtures`, over `cluster`, `keeper` and `binaries`, which know no pytest."""
