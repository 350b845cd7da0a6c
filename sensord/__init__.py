"""sensord: a scheduler daemon for data-warehouse flows that depend on each other across schedules."""

__version__ = "0.1.0"
