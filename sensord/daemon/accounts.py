"""The users that commands may run as: whom `allowed_users` names, who is known on this host, and whom we may become.

Looked up once a reload, so that not every run waits for a directory of users that may be elsewhere.
"""

import os
import pwd
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sensord.executors.base import Account

ROOT = 0


@dataclass(frozen=True, slots=True)
class User:
    """account: None where it is the daemon's own, so that nothing has to change."""

    env: Mapping[str, str]
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    message: str
    hint: str | None = None


class Accounts:
    """own: the id of the user that the daemon runs as. look_up, groups_of: as in the modules pwd and os."""

    def __init__(
        self,
        own: int | None = None,
        look_up: Callable[[str], pwd.struct_passwd] = pwd.getpwnam,
        groups_of: Callable[[str, int], list[int]] = os.getgrouplist,
    ) -> None:
        self._own = os.geteuid() if own is None else own
        self._look_up = look_up
        self._groups_of = groups_of
        self._allowed: frozenset[str] = frozenset()
        self._found: dict[str, User | Refusal] = {}

    def renew(self) -> None:
        """Look up everybody anew."""
        self._found.clear()

    def allow(self, names: Collection[str]) -> None:
        """These alone, from now on."""
        self._allowed = frozenset(names)

    def find(self, name: str) -> User | Refusal:
        """For an attempt at a command."""
        if name not in self._allowed:
            return Refusal(f'user "{name}" is none of allowed_users', "add it to allowed_users in sensord.toml")
        return self._look(name)

    def refuse(self, name: str) -> tuple[str, str | None] | None:
        """For a flow: why its commands cannot run as this user here, whether allowed or not; None where they can."""
        found = self._look(name)
        return (found.message, found.hint) if isinstance(found, Refusal) else None

    def _look(self, name: str) -> User | Refusal:
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> User | Refusal:
        try:
            entry = self._look_up(name)
            groups = self._groups_of(name, entry.pw_gid)
        except (KeyError, OSError, ValueError):  # ValueError: a name with a NUL
            return Refusal(f'expected a user of this host, got "{name}"', "make the user, or name another")
        env = {"HOME": entry.pw_dir, "USER": name, "LOGNAME": name}
        if entry.pw_uid == self._own:
            return User(env)
        if self._own != ROOT:
            message = f'expected a daemon that runs as root, to run commands as "{name}"; it runs as user {self._own}'
            return Refusal(message, "run a daemon as that user, with a database and a state folder of its own")
        return User(env, Account(entry.pw_uid, entry.pw_gid, tuple(groups)))
