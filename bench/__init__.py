"""`make bench`: figures of sensord, each beside a raw floor that is measured in the same run. Never a test."""
