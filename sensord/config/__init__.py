"""TOML files to flows: loading, and the errors with their places. What the daemon does with them is its own affair."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensord.config.body import flow_from_body as flow_from_body
    from sensord.config.body import priority_of as priority_of
    from sensord.config.folder import Config as Config
    from sensord.config.folder import load as load
    from sensord.config.settings import Settings as Settings
    from sensord.config.settings import load_settings as load_settings
    from sensord.config.source import Loaded as Loaded

_HOMES = {
    "Config": "folder",
    "Loaded": "source",
    "Settings": "settings",
    "flow_from_body": "body",
    "load": "folder",
    "load_settings": "settings",
    "priority_of": "body",
}


def __getattr__(name: str) -> Any:
    """Import on first use: who reads a stored definition need not wait for pydantic."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
