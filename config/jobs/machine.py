"""The machine as the warehouse's source: its figures, processes, file systems and accounts, from /proc, /etc, /sys.

HOST_PROC, HOST_ETC and HOST_SYS name other roots, for instance the host's own when this runs in a container.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from warehouse import UTC, Lacking

KERNEL_THREAD = 0x00200000
LOCAL = {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "vfat", "xfs", "zfs"}
"""File systems that hold data here. Others are left out: asking a dead network mount for its size never ends."""


@dataclass(frozen=True)
class Process:
    pid: int
    name: str
    uid: int
    started_at: datetime
    memory_kib: int


def proc(name: str) -> Path:
    return Path(os.environ.get("HOST_PROC", "/proc"), name)


def etc(name: str) -> Path:
    return Path(os.environ.get("HOST_ETC", "/etc"), name)


def sysfs(name: str) -> Path:
    return Path(os.environ.get("HOST_SYS", "/sys"), name)


def read(path: Path) -> str:
    """The text of a file that every Linux machine has."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise Lacking(f"cannot read {path}: {problem.strerror}") from None


def load() -> dict[str, str]:
    """Load averages over 1, 5 and 15 minutes, and how many tasks run of how many there are."""
    fields = read(proc("loadavg")).split()
    if len(fields) < 4 or "/" not in fields[3]:
        raise Lacking(f"expected five fields in {proc('loadavg')}, got {' '.join(fields)!r}")
    running, tasks = fields[3].split("/")
    return {"load1": fields[0], "load5": fields[1], "load15": fields[2], "running": running, "tasks": tasks}


def memory() -> tuple[int, int]:
    """KiB of memory in all, and available. Kernels before 3.14 leave it to us to add up what is available."""
    lines = (line.split() for line in read(proc("meminfo")).splitlines())
    kib = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) >= 2 and words[1].isdigit()}
    if "MemTotal" not in kib:
        raise Lacking(f"expected MemTotal in {proc('meminfo')}, got {', '.join(kib) or 'nothing'}")
    reclaimable = sum(kib.get(name, 0) for name in ("MemFree", "Buffers", "Cached"))
    return kib["MemTotal"], kib.get("MemAvailable", reclaimable)


def processors() -> tuple[int, float, datetime]:
    """How many processors there are, the seconds that they were busy since the boot, and when that was."""
    stat = [line.split() for line in read(proc("stat")).splitlines()]
    rows = {words[0]: words[1:] for words in stat if words}
    if "cpu" not in rows or "btime" not in rows:
        raise Lacking(f"expected lines cpu and btime in {proc('stat')}, got {', '.join(rows) or 'nothing'}")
    user, nice, system, _idle, _iowait, *interrupts = [int(ticks) for ticks in rows["cpu"][:8]]
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    count = sum(1 for name in rows if name.startswith("cpu") and name != "cpu")
    return max(count, 1), busy, datetime.fromtimestamp(int(rows["btime"][0]), UTC)


def processes() -> Iterator[Process]:
    """Every process but the kernel's own threads. Left out is what ends while we look, and what `hidepid` hides."""
    boot_at = processors()[2]
    for path in sorted(proc("").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            stat = (path / "stat").read_text(encoding="utf-8", errors="replace")
            status = (path / "status").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 1 :].split()
        if int(fields[6]) & KERNEL_THREAD:
            continue
        facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        yield Process(
            pid=int(path.name),
            name="".join(letter if letter.isprintable() else "?" for letter in name),
            uid=int(facts["Uid"].split()[0]),
            started_at=boot_at + timedelta(seconds=int(fields[19]) // os.sysconf("SC_CLK_TCK")),
            memory_kib=int(facts["VmRSS"].split()[0]) if "VmRSS" in facts else 0,
        )


def file_systems() -> dict[str, os.statvfs_result]:
    """The local file systems by mount point, each device once, and of overlays only the root.

    The kernel writes a space in a name as \\040.
    """
    found: dict[str, os.statvfs_result] = {}
    seen = set()
    for line in read(proc("mounts")).splitlines():
        device, point, kind, *_ = (re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), word) for word in line.split())
        if kind not in LOCAL or (kind == "overlay" and point != "/") or device in seen or not Path(point).is_dir():
            continue
        seen.add(device)
        found[point] = os.statvfs(point)
    return found


def disks() -> dict[str, int]:
    """KiB of each disk that the kernel knows, by name; none where /sys is hidden, as in some containers."""
    sizes = {path.parent.name: int(read(path)) // 2 for path in sysfs("block").glob("*/size")}
    return {name: size for name, size in sorted(sizes.items()) if size and not name.startswith(("loop", "ram", "zram"))}
