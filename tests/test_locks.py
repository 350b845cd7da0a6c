"""The lock files are fresh, complete and at home nowhere: `make lock` mends what fails here."""

import re
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.locks import CHECKOUT, DEVELOPMENT, RUNTIME, Pin, asked_for, pins

LOCKS = pytest.mark.parametrize(
    ("file", "groups"), [(RUNTIME, ()), (DEVELOPMENT, ("dev",))], ids=["runtime", "development"]
)


def needs(requirement: Requirement) -> list[Requirement]:
    """What the installed package needs by itself and for the extras asked for, on this machine."""
    everything = [Requirement(each) for each in distribution(requirement.name).requires or ()]
    extras = {"", *requirement.extras}
    return [
        each for each in everything if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras)
    ]


def unmet(requirements: list[Requirement], pinned: dict[str, Pin]) -> list[str]:
    """Those that no pin satisfies."""
    return [
        str(each)
        for each in requirements
        if (pin := pinned.get(canonicalize_name(each.name))) is None or pin.version not in each.specifier
    ]


def reached(requirements: list[Requirement]) -> list[Requirement]:
    """These and all that they need in turn, as installed."""
    found: dict[str, Requirement] = {}
    ahead = list(requirements)
    while ahead:
        each = ahead.pop()
        if str(each) not in found:
            found[str(each)] = each
            ahead += needs(each)
    return list(found.values())


@LOCKS
def test_the_pins_satisfy_what_pyproject_asks_for(file: str, groups: tuple[str, ...]) -> None:
    assert unmet(asked_for(*groups), pins(file)) == []


@LOCKS
def test_the_environment_is_the_one_that_is_locked(file: str, groups: tuple[str, ...]) -> None:
    installed = {name: distribution(name).version for name, pin in pins(file).items() if pin.here}

    assert installed == {name: pin.version for name, pin in pins(file).items() if pin.here}


@LOCKS
def test_the_pins_satisfy_each_other_and_none_is_left_over(file: str, groups: tuple[str, ...]) -> None:
    everything = reached(asked_for(*groups))

    assert unmet(everything, pins(file)) == []
    assert {name for name, pin in pins(file).items() if pin.here} == {
        canonicalize_name(each.name) for each in everything
    }


def test_both_locks_pin_the_same_files() -> None:
    development = pins(DEVELOPMENT)

    for name, pin in pins(RUNTIME).items():
        assert (development[name].version, development[name].hashes) == (pin.version, pin.hashes)


@LOCKS
def test_each_pin_is_one_version_with_hashes(file: str, groups: tuple[str, ...]) -> None:
    for pin in pins(file).values():
        assert str(pin.requirement.specifier) == f"=={pin.version}"
        assert pin.hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in pin.hashes)


def strangers(text: str) -> list[str]:
    """Lines with an address, a path, or an option of pip's but hashes: a lock file says what, never from where."""
    return [line for line in text.splitlines() if re.search(r"/|^\s*-(?!-hash=)|\s@\s", line)]


@LOCKS
def test_a_lock_names_no_registry_and_no_machine(file: str, groups: tuple[str, ...]) -> None:
    assert strangers((CHECKOUT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/all",
        "--find-links wheels",
        "-i example.org",
        "--extra-index-url file:///srv/packages",
        "click @ https://example.org/click.whl",
        "#    uv pip compile /home/me/sensord/pyproject.toml",
        "    # via -r /home/me/requirements.in",
        "-e .",
    ],
)
def test_an_address_in_a_lock_is_caught(line: str) -> None:
    assert strangers(f"click==8.5.1 \\\n    --hash=sha256:00\n{line}\n") == [line]


def test_a_dependency_without_a_fitting_pin_is_caught() -> None:
    pinned = pins(RUNTIME)

    assert unmet([Requirement("click>=99"), Requirement("left-pad>=1"), Requirement("Click")], pinned) == [
        "click>=99",
        "left-pad>=1",
    ]
