"""What the language has and this version has not: refused by name, so that nothing is silently passed over.

A key leaves this list when its table in `tables` takes it.
"""

KEYS: dict[str, frozenset[str]] = {
    "": frozenset(),
    "schedule": frozenset(),
    "run": frozenset({"pools"}),
    "sensors": frozenset({"every"}),
    "sensord.toml": frozenset(
        {
            "notifications",
        }
    ),
}
"""Table -> keys: "" is the top of a flow's file, "sensors" each of its sensors."""
