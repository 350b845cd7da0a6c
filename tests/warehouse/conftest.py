"""A fresh machine and an empty warehouse for each test."""

from pathlib import Path

import pytest

from tests.warehouse.jobs import Machine, Warehouse


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "host").furnish()


@pytest.fixture
def warehouse(tmp_path: Path, machine: Machine) -> Warehouse:
    return Warehouse(tmp_path / "warehouse", machine)
