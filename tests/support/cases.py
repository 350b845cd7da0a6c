"""How many random cases a property has, as a share of what the Hypothesis profile says."""

from hypothesis import settings


def share(part: float) -> settings:
    """More of those that are had in no time, or that have much to find; fewer of those that take long."""
    return settings(max_examples=round(part * settings().max_examples))
