"""The site of the end-to-end tests."""

from pathlib import Path

import pytest

from tests.e2e.site import Site


@pytest.fixture
def site(tmp_path: Path, empty_url: str) -> Site:
    """A site whose database has no tables yet, on SQLite and on PostgreSQL in turn."""
    return Site(tmp_path / "site", empty_url)
