"""The name of a station: of one state folder, with its keeper, on one host. It is kept in the folder.

The host's own name would not do: hosts are renamed, containers share names, and one host may have several folders.
"""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sensord.errors import SensordError

FILE = "station"


def make_folder(state: Path) -> None:
    """The state folder, where there is none yet: for its owner alone. SensordError where it cannot be made."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SensordError(
            f"cannot use {state} as state folder: {error.strerror}", hint="`state` in sensord.toml may name another"
        ) from error


def read_station(state: Path) -> str:
    """The name that is written in a state folder; a new one the first time."""
    path = state / FILE
    draft = state / f".{FILE}.{os.getpid()}"
    try:
        if not path.exists():
            descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, f"{uuid4().hex}\n".encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with suppress(FileExistsError):  # another daemon was quicker: its name holds
                os.link(draft, path)
            draft.unlink()
        name = path.read_text(errors="replace").strip()
    except OSError as error:
        raise SensordError(f"cannot use {path}: {error.strerror}") from error
    if not name.isalnum():
        raise SensordError(f"expected the name of a station in {path}, got something else", hint="remove that file")
    return name
