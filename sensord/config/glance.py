"""What a config folder looks like from outside: a stamp of each file that counts, and the folders where one may change.

It follows the same links and passes over the same names as the reading of the files does; it opens none of them.
"""

import os
import stat
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sensord.config.files import DEEPEST, MOST_LINKED, Stamp, stamp_of
from sensord.config.names import FLOWS_FOLDER, SETTINGS_FILE, TEMPLATES_FOLDER

_MOST_LINKS = 40
"""As the kernel: more of them on one way lead in a circle."""

Identity = tuple[int, int]


@dataclass(slots=True)
class Glance:
    """files: None for a link that leads nowhere. folders: to watch, each without those in it; device and inode.

    names: what counts in each folder; None: any name that does not begin with a dot.
    """

    files: dict[str, Stamp | None] = field(default_factory=dict)
    folders: dict[str, Identity] = field(default_factory=dict)
    names: dict[str, set[str] | None] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Mapping[str, Identity], Mapping[str, set[str] | None]]:
        """What there is to watch."""
        return self.folders, self.names

    def concerns(self, path: str) -> bool:
        """Whether a change of that path may change what the config folder says."""
        folder, name = os.path.split(path)
        if folder not in self.names:
            return path in self.folders  # the folder itself has gone
        names = self.names[folder]
        # Kubernetes mounts new files by renaming a link called ..data.
        return name in names if names is not None else not name.startswith(".") or name.startswith("..")


def glance(directory: Path, modules: Sequence[str] = ()) -> Glance:
    """Look at a config folder, which may be gone, or a link. modules: those that `mapping_modules` allows."""
    look = _Look(Glance())
    root = os.path.abspath(directory)  # noqa: PTH100 -- resolve() would follow links, which may be set anew
    look.trace(root)
    look.mind(*os.path.split(root))
    look.mind(root, "..data", SETTINGS_FILE, FLOWS_FOLDER, TEMPLATES_FOLDER)
    look.file(f"{root}/{SETTINGS_FILE}")
    for folder in (FLOWS_FOLDER, TEMPLATES_FOLDER):
        look.trace(f"{root}/{folder}")
        look.enter(f"{root}/{folder}", _is_toml)
    for name in modules:
        for base in _bases(root):
            look.module(base, name)
    return look.seen


def _is_toml(name: str) -> bool:
    return name.lower().endswith(".toml")


def _is_python(name: str) -> bool:
    return name.endswith(".py")


def _bases(root: str) -> list[str]:
    """Where Python looks for modules, as far as that lies within the config folder."""
    real = os.path.realpath(root)
    found = [os.path.realpath(entry or os.curdir) for entry in sys.path]
    return [base for base in dict.fromkeys(found) if base == real or base.startswith(f"{real}/")]


@dataclass(slots=True)
class _Look:
    """room: how much more may lie behind the link that it is behind."""

    seen: Glance
    room: int | None = None

    def mind(self, folder: str, *names: str) -> None:
        """Watch a folder for these names alone, unless all that is in it counts anyway."""
        if self._identify(folder) is None:
            return
        before = self.seen.names.setdefault(folder, set())
        if before is not None:
            before.update(names)

    def trace(self, path: str) -> None:
        """Mind each link on the way to a path, and what is missing there: the way may lead elsewhere tomorrow."""
        here, ahead, links = "", deque(path.split("/")), 0
        while ahead and links < _MOST_LINKS:
            name = ahead.popleft()
            if name in ("", ".", ".."):
                here = here.rpartition("/")[0] if name == ".." else here
                continue
            try:
                target = os.readlink(f"{here}/{name}")  # noqa: PTH115 -- ten thousand files, as in `files`
            except FileNotFoundError:
                self.mind(here or "/", name)
                return
            except OSError:  # no link: it is there
                here = f"{here}/{name}"
                continue
            links += 1
            self.mind(here or "/", name)
            here = "" if target.startswith("/") else here
            ahead.extendleft(reversed(target.split("/")))

    def enter(self, path: str, counts: Callable[[str], bool], above: tuple[Identity, ...] = ()) -> None:
        """Look at all files below a folder that count by their name. `above`: the folders on the way here."""
        identity = self._identify(path)
        if identity is None or identity in above or len(above) > DEEPEST:
            return
        self.seen.names[path] = None
        try:
            entries = list(os.scandir(path))
        except OSError:  # the reading of the files says so
            return
        if self.room is not None:
            self.room -= len(entries)
        for entry in entries:
            if self.room is not None and self.room < 0:
                return
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_symlink():
                self.trace(entry.path)
            if _is_folder(entry):
                self._follow(entry, counts, (*above, identity))
            elif counts(entry.name):
                self.file(entry.path)

    def _follow(self, entry: os.DirEntry[str], counts: Callable[[str], bool], above: tuple[Identity, ...]) -> None:
        if not entry.is_symlink() or self.room is not None:
            self.enter(entry.path, counts, above)
            return
        self.room = MOST_LINKED
        self.enter(entry.path, counts, above)
        self.room = None

    def file(self, path: str) -> None:
        """Stamp a file, if it is there."""
        try:
            self.seen.files[path] = stamp_of(os.stat(path))  # noqa: PTH116 -- as above
        except OSError:
            if os.path.islink(path):  # noqa: PTH114 -- as above
                self.seen.files[path] = None
                self.trace(path)

    def module(self, base: str, name: str) -> None:
        """Stamp the files of a module or package."""
        parts = name.split(".")
        for depth, part in enumerate(parts):
            self.mind("/".join([base, *parts[:depth]]), part, f"{part}.py")
        path = "/".join([base, *parts])
        self.file(f"{path}.py")
        self.enter(path, _is_python)

    def _identify(self, folder: str) -> Identity | None:
        """None where there is no folder, or none that we may read: that it may be read is a change of the one above."""
        if folder not in self.seen.folders:
            try:
                status = os.stat(folder)  # noqa: PTH116 -- as above
            except OSError:
                return None
            if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.R_OK):
                return None
            self.seen.folders[folder] = (status.st_dev, status.st_ino)
        return self.seen.folders[folder]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False
