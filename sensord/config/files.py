"""The files of flows: which there are below `flows/`, what each flow is called, and the text of one.

Followed: symbolic links, wherever they lead. Passed over: names that start with a dot, and files that do not end in
.toml, so that editors, version control and mounted volumes may leave theirs. Nothing here waits for a pipe or a device.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from sensord.config.document import Fault, Place
from sensord.config.names import DEFAULTS_FILE, FLOWS_FOLDER, explain_bad_name
from sensord.errors import ConfigError, Problem

LARGEST = 256 * 1024
"""Bytes of a config file at most: what takes the parser longest, a number without an end, is then read in no time."""

DEEPEST = 100
"""Folders within one another: below more, no name of a flow can be short enough."""

MOST_LINKED = 50_000
"""Files and folders behind a link to a folder: one to `/` would have us read the whole machine."""

_SUFFIX = ".toml"
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class Stamp(NamedTuple):
    """Equal stamps: the file has not been written in between."""

    modified: int
    changed: int
    size: int
    device: int
    inode: int


def stamp_of(status: os.stat_result) -> Stamp:
    return Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_dev, status.st_ino)


_NO_STAMP = Stamp(0, 0, 0, 0, 0)


class FlowFile(NamedTuple):
    """`file` is relative to the config folder, fit to print. fault: why there is nothing to read."""

    name: str
    path: str
    file: str
    stamp: Stamp
    fault: str | None = None


_NONE: Mapping[str, FlowFile] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """What is below `flows/`. closed: folders that could not be listed, as the beginning of their flows' names.

    defaults: the `defaults.toml` of each folder that has one, by the same beginning: "", "finance/".
    """

    files: list[FlowFile]
    defaults: dict[str, FlowFile]
    problems: list[Problem]
    closed: tuple[str, ...]


def find_files(directory: Path, known: Mapping[str, FlowFile] = _NONE) -> Found:
    """In order of name. ConfigError where there is no folder `flows`, since then every flow would seem removed.

    known: files that were found before, by path; those that are the same are taken over.
    """
    found = _Search(directory, known)
    root = directory / FLOWS_FOLDER
    if not root.is_dir():
        hint = "`sensord init` makes one" if not directory.exists() else "flows are files in it, one each"
        problem = Problem(f"expected a folder {FLOWS_FOLDER}, got none in {directory}", hint)
        raise ConfigError([problem])
    found.enter(str(root), "", ())
    found.files.sort(key=itemgetter(0))
    return Found(found.files, found.defaults, found.problems, tuple(found.closed))


class _Search:
    def __init__(self, directory: Path, known: Mapping[str, FlowFile]) -> None:
        self.directory = directory
        self.known = known
        self.files: list[FlowFile] = []
        self.defaults: dict[str, FlowFile] = {}
        self.problems: list[Problem] = []
        self.closed: list[str] = []
        self._room: int | None = None

    def enter(self, path: str, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        """`above`: device and inode of the folders on the way here, to tell a link that leads back to one."""
        try:
            folder = os.stat(path)  # noqa: PTH116 -- ten thousand files are not to wait for pathlib
            entries = list(os.scandir(path))
        except FileNotFoundError:
            return  # removed while we were looking, which the next reload sees
        except OSError as error:
            self._say(prefix.rstrip("/"), f"expected a folder that can be listed, got: {error.strerror}")
            self.closed.append(prefix)
            return
        here = (folder.st_dev, folder.st_ino)
        if here in above:
            self._say(prefix.rstrip("/"), "expected a link that leads out of its own folder, got one back into it")
            return
        if len(above) > DEEPEST:
            self._say(prefix.rstrip("/"), f"expected at most {DEEPEST} folders within one another, got more")
            return
        if self._room is not None:
            self._room -= len(entries)
        for entry in entries:
            if self._room is not None and self._room < 0:
                return
            if one := self._find_known(entry):
                self.files.append(one)
            elif not entry.name.startswith("."):
                self._take(entry, prefix + _printable(entry.name), (*above, here))

    def _find_known(self, entry: os.DirEntry[str]) -> FlowFile | None:
        """The same file as before. Without a call more than it takes: a reload does this for every flow."""
        known = self.known.get(entry.path)
        if known is None or known.fault:
            return None
        try:
            now = entry.stat()
        except OSError:
            return None
        stamp = (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_dev, now.st_ino)
        return known if known.stamp == stamp else None

    def _take(self, entry: os.DirEntry[str], name: str, above: tuple[tuple[int, int], ...]) -> None:
        if _is_folder(entry):
            (self._follow if entry.is_symlink() else self.enter)(entry.path, f"{name}/", above)
        elif name.endswith(_SUFFIX):
            self._take_file(entry, name)
        elif name.lower().endswith(_SUFFIX):
            self._say(name, f"expected a name that ends in {_SUFFIX}, got another spelling of it", "rename the file")

    def _follow(self, path: str, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        """A link may lead anywhere: where too much is behind it, nothing of it counts, and nothing there has gone."""
        if self._room is not None:
            self.enter(path, prefix, above)
            return
        before = len(self.files), len(self.problems), len(self.closed)
        self._room = MOST_LINKED
        self.enter(path, prefix, above)
        if self._room < 0:
            del self.files[before[0] :], self.problems[before[1] :], self.closed[before[2] :]
            self.defaults = {folder: file for folder, file in self.defaults.items() if not folder.startswith(prefix)}
            hint = "let it lead to the folder of the flows alone"
            self._say(prefix.rstrip("/"), f"expected a link to at most {MOST_LINKED:,} files and folders", hint)
            self.closed.append(prefix)
        self._room = None

    def _take_file(self, entry: os.DirEntry[str], name: str) -> None:
        flow = name.removesuffix(_SUFFIX)
        if entry.name == DEFAULTS_FILE:
            if one := self._look(entry, flow):
                self.defaults[name.removesuffix(DEFAULTS_FILE)] = one
        elif reason := explain_bad_name(flow):
            self._say(name, *reason)
        elif one := self._look(entry, flow):
            self.files.append(one)

    def _look(self, entry: os.DirEntry[str], name: str) -> FlowFile | None:
        """None where the file is no longer there."""
        stamp, fault = _NO_STAMP, None
        try:
            status = entry.stat()
        except FileNotFoundError:
            if not entry.is_symlink():
                return None  # removed while we were looking, which the next reload sees
            fault = "expected a link to a file, got one that leads nowhere"
        except OSError as error:
            fault = f"expected a file that can be read, got: {error.strerror}"
        else:
            stamp = stamp_of(status)
            fault = None if stat.S_ISREG(status.st_mode) else _describe(status.st_mode)
        return FlowFile(name, entry.path, f"{FLOWS_FOLDER}/{name}{_SUFFIX}", stamp, fault)

    def _say(self, name: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(message, hint, f"{FLOWS_FOLDER}/{name}".rstrip("/")))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed: whoever takes it for a file finds out why
        return False


def _printable(name: str) -> str:
    """Bytes that are no UTF-8 as `\\xff`, which no name of a flow may hold."""
    return name if name.isascii() else os.fsencode(name).decode(errors="backslashreplace")


def read_text(path: str | Path) -> str:
    """The text of a config file. Fault where it is no regular file, too large, or not UTF-8; OSError passes."""
    with open(path, "rb", opener=_open) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Fault(_describe(status.st_mode))
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        size = max(status.st_size, len(content))
        raise Fault(f"expected a file of at most {LARGEST:,} bytes, got {size:,}")
    return decode(content)


def decode(content: bytes) -> str:
    """Fault, with its place, where it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise Fault(f"expected UTF-8, got the byte 0x{content[error.start]:02x}", "save it as UTF-8", place) from None


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _describe(mode: int) -> str:
    return f"expected a regular file, got {_KINDS.get(stat.S_IFMT(mode), 'none')}"
