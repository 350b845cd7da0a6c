"""The world and the command line of the simulation."""

from tests.cli.conftest import sensord, world

__all__ = ["sensord", "world"]
