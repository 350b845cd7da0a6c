"""Mappings by their keys: the same keys give the same Mapping, since thousands of sensors share a few of them."""

from collections.abc import Mapping as Table
from functools import lru_cache
from zoneinfo import ZoneInfo

from sensord.core.mapping import Loader, Mapping, build_mapping

_PLAIN = (str, int, float, bool)
_UTC = ZoneInfo("UTC")
_Key = tuple[tuple[str, type, str | float], ...]


def make_mapping(values: Table[str, object], load: Loader, zone: ZoneInfo = _UTC) -> Mapping:
    """As build_mapping: ConfigError with one Problem for every thing wrong."""
    # A function is not the same for ever, and only `since` depends on the zone.
    if "since" in values or str(values.get("match")).startswith("python"):
        return build_mapping(values, zone=zone, load=load)
    key = tuple((name, type(value), value) for name, value in values.items() if isinstance(value, _PLAIN))
    return _make(key) if len(key) == len(values) else build_mapping(values, zone=zone, load=load)


@lru_cache(maxsize=4096)
def _make(key: _Key) -> Mapping:
    """The types are part of the key, since true is equal to 1."""
    return build_mapping({name: value for name, _, value in key})
