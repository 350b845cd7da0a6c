"""Mapping functions for tests."""

from datetime import datetime


def same(date: datetime) -> list[datetime]:
    return [date]
