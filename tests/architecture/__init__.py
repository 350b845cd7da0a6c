"""The rules of the house as functions of a source file. `tests/test_architecture.py` holds the tree to them."""
