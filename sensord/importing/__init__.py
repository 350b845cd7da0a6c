"""Schedules of other systems, read and made into the texts of flows' files. Pure: reading and writing are the CLI's."""
