"""The world and the program that pages are lived through with, as in the tests of the command line."""

from tests.cli.conftest import sensord, world

__all__ = ["sensord", "world"]
