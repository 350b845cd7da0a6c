"""The mapping: which upstream logical dates a downstream logical date stands on, as docs/concepts.md defines it.

spec (the value) and build (reading and refusing) come first; anchor and select turn it into dates; resolve adds what
the sensor needs of them. Who the upstream is, and what its runs have become, is for others.
"""

from sensord.core.mapping.build import KEYS, Loader, build_mapping, read_require
from sensord.core.mapping.function import Context, MappingFunction
from sensord.core.mapping.resolve import Require, Resolution, Trouble, TroubleKind, resolve
from sensord.core.mapping.spec import Closed, Mapping, Match, Unit, WeekStart

__all__ = [
    "KEYS",
    "Closed",
    "Context",
    "Loader",
    "Mapping",
    "MappingFunction",
    "Match",
    "Require",
    "Resolution",
    "Trouble",
    "TroubleKind",
    "Unit",
    "WeekStart",
    "build_mapping",
    "read_require",
    "resolve",
]
