"""The lock files as values: what they pin, and what the project asks for."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version. `requirement` holds its marker; `hashes` those of the files that may be installed."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        [specifier] = self.requirement.specifier
        return specifier.version

    @property
    def here(self) -> bool:
        """Whether this Python on this machine needs it."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def pins(file: str) -> dict[str, Pin]:
    """Name -> pin of a lock file in the checkout."""
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split("--hash=")
        pin = Pin(Requirement(requirement), frozenset(each.strip() for each in hashes))
        found[pin.name] = pin
    return found


def asked_for(*groups: str) -> list[Requirement]:
    """What pyproject.toml names: the dependencies, and those of the groups."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [*project["project"]["dependencies"], *project["build-system"]["requires"] * ("dev" in groups)]
    for group in groups:
        named += project["dependency-groups"][group]
    return [Requirement(each) for each in named]
