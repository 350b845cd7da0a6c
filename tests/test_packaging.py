"""The wheel: it builds without a network, holds all it should, and works with the locked dependencies and nothing else.

The empty environment borrows its dependencies from this one, each by itself, so that no network is needed here
either; `tests/test_locks.py` proves that they are the locked ones.
"""

import os
import subprocess
import sys
import sysconfig
import tomllib
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import sensord
from tests.support.locks import CHECKOUT, RUNTIME, asked_for, pins

NO_NETWORK = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "PIP_NO_INDEX": "1"}


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What the command prints. It has a bare environment, and must succeed."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    done = subprocess.run(command, cwd=cwd, env=bare | (env or {}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder),
        cwd=CHECKOUT,
        env=NO_NETWORK,
    )
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and the locked runtime dependencies, and not even pip."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    packages = folder / "venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    for name, pin in pins(RUNTIME).items():
        if pin.here:
            lend_distribution(name, packages)
    run(
        *("sh", CHECKOUT / "scripts" / "pip.sh", folder / "venv", "install", "--no-deps", wheel),
        cwd=folder,
        env=NO_NETWORK | {"PYTHON": sys._base_executable},  # type: ignore[attr-defined]  # what this venv was made from
    )
    return folder / "venv"


def lend_distribution(name: str, packages: Path) -> None:
    """Links to what an installed distribution has in site-packages; its scripts stay away."""
    for top in {file.parts[0] for file in distribution(name).files or ()} - {"..", "__pycache__"}:
        (packages / top).symlink_to(str(distribution(name).locate_file(top)))


def sources() -> set[str]:
    return {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "sensord").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}

    assert inside == sources()
    assert "sensord/py.typed" in inside
    assert any(name.startswith("sensord/store/migrations/versions/") for name in inside)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_says_what_pyproject_says(wheel: Path) -> None:
    [name] = [name for name in ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(ZipFile(wheel).read(name).decode())
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert metadata["Name"] == "sensord"
    assert metadata["Version"] == sensord.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == project["requires-python"]
    assert {Requirement(each) for each in metadata.get_all("Requires-Dist", [])} == set(asked_for())


def test_the_program_runs_in_an_empty_environment(empty_environment: Path, tmp_path: Path) -> None:
    program = empty_environment / "bin" / "sensord"

    assert sensord.__version__ in run(program, "--version", cwd=tmp_path)
    assert run(program, "--help", cwd=tmp_path).startswith("Usage: sensord ")


def test_every_module_loads_in_an_empty_environment(empty_environment: Path, tmp_path: Path) -> None:
    """So no module needs what only the tests have. Migrations are run below: alembic alone can load them."""
    program = """
import importlib, pkgutil, sensord
print(sensord.__file__)
for found in pkgutil.walk_packages(sensord.__path__, "sensord."):
    if not found.name.startswith("sensord.store.migrations.") and found.name != "sensord.__main__":
        importlib.import_module(found.name)
"""
    printed = run(empty_environment / "bin" / "python", "-c", program, cwd=tmp_path)

    assert Path(printed.strip()).is_relative_to(empty_environment)


def test_a_database_is_made_by_the_migrations_in_the_wheel(empty_environment: Path, tmp_path: Path) -> None:
    program, database = empty_environment / "bin" / "sensord", tmp_path / "sensord.db"

    for verb in ("upgrade", "check"):
        run(program, "--db", f"sqlite://{database}", "db", verb, cwd=tmp_path)

    assert database.exists()
