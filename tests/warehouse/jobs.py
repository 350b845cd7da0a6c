"""A warehouse in a temporary folder, a machine to fill it from, and the jobs run as the daemon runs them."""

import csv
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sensord.core.instant import format_instant

CONFIG = Path(__file__).parents[2] / "config"
TICKS = os.sysconf("SC_CLK_TCK")
BOOT = 1_767_225_600  # 2026-01-01T00:00:00Z


@dataclass(frozen=True)
class Machine:
    """The files of /proc, /etc and /sys that the jobs read, of a small machine that a test may spoil."""

    root: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def work(self, busy_s: int, boot: int = BOOT) -> None:
        """Two processors that have worked for so long since the boot, and idled for ever."""
        cpus = "".join(f"cpu{number} 0 0 0 9 9 0 0 0 0 0\n" for number in range(2))
        self.write("proc/stat", f"cpu  {busy_s * TICKS} 0 0 999999 777 0 0 0 0 0\n{cpus}intr 5 1 1\nbtime {boot}\n")

    def start(self, pid: int, name: str, uid: int, memory_kib: int | None, flags: int = 0x400000) -> None:
        fields = ["S", "1", "1", "1", "0", "-1", str(flags), *["0"] * 12, str(3600 * TICKS), "0", "0"]
        self.write(f"proc/{pid}/stat", f"{pid} ({name}) {' '.join(fields)}\n")
        memory = f"VmRSS:\t{memory_kib} kB\n" if memory_kib is not None else ""
        self.write(f"proc/{pid}/status", f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n{memory}Threads:\t1\n")

    def furnish(self) -> "Machine":
        self.work(busy_s=100)
        self.write("proc/loadavg", "1.50 0.75 0.25 2/92 8556\n")
        self.write("proc/meminfo", "MemTotal:  2048000 kB\nMemFree:  512000 kB\nMemAvailable:  1024000 kB\n")
        self.write("proc/sys/kernel/osrelease", "6.1.0-test\n")
        self.write("proc/mounts", "/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/sda1 /etc ext4 rw 0 0\n")
        self.write("sys/block/sda/size", "4096\n")
        self.write("sys/block/loop0/size", "4096\n")
        self.start(1, "init", 0, 2048)
        self.start(2, "kthreadd", 0, None, flags=0x208040)
        self.start(70, "shop (v2)", 1000, 10_241)
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nann:x:1000:50:Ann:/home/ann:/bin/sh\n")
        self.write("etc/group", "root:x:0:\nstaff:x:50:\naudio:x:29:ann,bob\n")
        return self


@dataclass(frozen=True)
class Finished:
    code: int
    said: str
    complained: str


@dataclass(frozen=True)
class Warehouse:
    folder: Path
    machine: Machine
    more_env: dict[str, str] = field(default_factory=dict)

    def run(self, flow: str, at: datetime, interval: timedelta = timedelta(hours=1)) -> Finished:
        """The flow's own command, in the config folder, with the environment of a run and nothing of ours."""
        process = subprocess.run(
            command(flow), cwd=CONFIG, env=self.env(flow, at, interval), capture_output=True, text=True, check=False
        )
        return Finished(process.returncode, process.stdout.strip(), process.stderr.strip())

    def env(self, flow: str, at: datetime, interval: timedelta) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "WAREHOUSE": str(self.folder),
            "HOST_PROC": str(self.machine.root / "proc"),
            "HOST_ETC": str(self.machine.root / "etc"),
            "HOST_SYS": str(self.machine.root / "sys"),
            "SENSORD_FLOW": flow,
            "SENSORD_LOGICAL_DATE": format_instant(at),
            "SENSORD_DATA_INTERVAL_START": format_instant(at - interval),
            "SENSORD_DATA_INTERVAL_END": format_instant(at),
            "SENSORD_RUN_ID": "1",
            "SENSORD_ATTEMPT": "1",
            **self.more_env,
        }

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def put(self, name: str, header: str, *lines: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def files(self) -> list[str]:
        """Every file but the locks, drafts among them."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in found if not name.endswith("/.lock"))


def command(flow: str) -> Sequence[str]:
    """The argv of the flow's file, `python3` being the one that runs the tests."""
    argv = tomllib.loads((CONFIG / "flows" / f"{flow}.toml").read_text(encoding="utf-8"))["run"]["command"]
    return [sys.executable if word == "python3" else word for word in argv]


def this_minute() -> datetime:
    """A logical date whose figures can still be read: the jobs look at the real clock."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
