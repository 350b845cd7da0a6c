"""A glance at a config folder: what counts, where a change may come from, and the kernel's word that it has come."""

import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensord.config.glance import Glance, glance
from sensord.daemon.eyes import watch_folder
from sensord.daemon.watch import Watcher

PATIENCE = 60.0
"""Seconds after which a test gives up."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "config"
    (root / "flows" / "finance").mkdir(parents=True)
    (root / "templates").mkdir()
    return root


def files(seen: Glance, folder: Path) -> list[str]:
    return sorted(os.path.relpath(path, folder) for path in seen.files)


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class TestWhatCounts:
    def test_settings_flows_defaults_and_templates(self, folder: Path) -> None:
        counted = ["flows/defaults.toml", "flows/finance/orders.toml", "sensord.toml", "templates/dbt/mart.toml"]
        for name in [*counted, "notes.txt", "flows/README.md", "flows/.orders.toml.swp", "flows/.git/a.toml", "x.toml"]:
            write(folder / name)

        assert files(glance(folder), folder) == counted

    def test_a_file_that_is_written_anew_looks_different(self, folder: Path) -> None:
        file = write(folder / "flows/orders.toml", "a")
        before = glance(folder)

        file.write_text("ab")

        assert glance(folder).files != before.files
        assert glance(folder).places == before.places

    def test_a_folder_that_is_not_there_has_nothing(self, tmp_path: Path) -> None:
        seen = glance(tmp_path / "config")

        assert seen.files == {}
        assert seen.concerns(str(tmp_path / "config"))

    def test_links_are_followed_but_not_in_circles(self, folder: Path, tmp_path: Path) -> None:
        write(tmp_path / "shared/stock.toml")
        (folder / "flows/shared").symlink_to(tmp_path / "shared")
        (folder / "flows/self").symlink_to(folder / "flows")
        (folder / "flows/nowhere.toml").symlink_to("loop.toml")
        (folder / "flows/loop.toml").symlink_to("nowhere.toml")

        seen = glance(folder)

        assert files(seen, folder) == ["flows/loop.toml", "flows/nowhere.toml", "flows/shared/stock.toml"]

    def test_modules_of_mappings_that_lie_in_it(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [str(folder / "lib"), "/usr/lib"])
        write(folder / "lib/calendars.py")
        write(folder / "lib/warehouse/days.py")
        write(folder / "lib/other.py")

        seen = glance(folder, ["calendars", "warehouse", "json"])

        assert files(seen, folder) == ["lib/calendars.py", "lib/warehouse/days.py"]


class TestWhatMayChangeIt:
    @pytest.mark.parametrize("name", ["flows/orders.toml", "flows/new", "sensord.toml", "..data", "templates"])
    def test_names_that_count(self, folder: Path, name: str) -> None:
        assert glance(folder).concerns(f"{folder}/{name}")

    @pytest.mark.parametrize("name", ["sensord.db-wal", "notes.txt", "flows/.orders.toml.swp", "../other"])
    def test_names_that_do_not(self, folder: Path, name: str) -> None:
        assert not glance(folder).concerns(os.path.normpath(f"{folder}/{name}"))

    def test_each_link_on_the_way(self, folder: Path, tmp_path: Path) -> None:
        folder.rename(tmp_path / "release-1")
        (tmp_path / "current").symlink_to("release-1")
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/config").symlink_to("../current")

        seen = glance(tmp_path / "etc/config")

        assert seen.concerns(f"{tmp_path}/current")
        assert seen.concerns(f"{tmp_path}/etc/config")
        assert seen.concerns(f"{tmp_path}/etc/config/flows/orders.toml")
        assert not seen.concerns(f"{tmp_path}/release-2")


class TestTheKernel:
    """Real events; nothing is asserted about how soon they come."""

    @pytest.fixture(params=[False, True], ids=["events", "polling"])
    def watcher(
        self, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Watcher]:
        monkeypatch.setattr("sensord.daemon.eyes.POLL", 0.01)
        with watch_folder(folder, tuple, poll=request.param) as one:
            yield one

    def test_a_new_flow(self, watcher: Watcher, folder: Path) -> None:
        write(folder / "flows/orders.toml")

        wait_for(watcher)

    def test_a_flow_in_a_new_folder_and_then_its_edit(self, watcher: Watcher, folder: Path) -> None:
        file = write(folder / "flows/new/deep/orders.toml")
        wait_for(watcher)

        file.write_text("more")

        wait_for(watcher)

    def test_the_folder_goes_and_comes_back(self, watcher: Watcher, folder: Path) -> None:
        write(folder / "flows/orders.toml")
        wait_for(watcher)

        folder.rename(folder.with_name("away"))
        wait_for(watcher)

        folder.with_name("away").rename(folder)
        wait_for(watcher)
        write(folder / "flows/stock.toml")
        wait_for(watcher)


def test_a_mounted_volume_is_switched(tmp_path: Path) -> None:
    """As Kubernetes does it: files are links by way of ..data, which is put in place by rename."""
    mount = tmp_path / "config"
    for version in ("..1", "..2"):
        write(mount / version / "flows/orders.toml", version)
        write(mount / version / "sensord.toml")
    (mount / "..data").symlink_to("..1")
    for name in ("flows", "sensord.toml"):
        (mount / name).symlink_to(f"..data/{name}")

    with watch_folder(mount, tuple) as watcher:
        (mount / "..data_tmp").symlink_to("..2")
        (mount / "..data_tmp").rename(mount / "..data")
        wait_for(watcher)

        write(mount / "..2/flows/orders.toml", "edited in place")
        wait_for(watcher)


def test_a_release_is_switched(folder: Path, tmp_path: Path) -> None:
    write(folder / "flows/orders.toml")
    write(tmp_path / "release-2/flows/stock.toml")
    (tmp_path / "current").symlink_to(folder)

    with watch_folder(tmp_path / "current", tuple) as watcher:
        (tmp_path / "next").symlink_to("release-2")
        (tmp_path / "next").rename(tmp_path / "current")
        wait_for(watcher)


def wait_for(watcher: Watcher) -> None:
    ready, _, _ = select.select([watcher], [], [], PATIENCE)
    assert ready
    assert watcher.drain()
