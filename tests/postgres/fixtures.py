"""The fixtures `postgres_cluster` (one server a test process, started by the first test that asks) and `postgres_url`.

Where no server is to be had these fail: a test of PostgreSQL is never skipped.
"""

import os
from collections.abc import Iterator

import pytest

from tests.postgres import binaries
from tests.postgres.cluster import Cluster


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """The server. `create(template)` copies a database, `url(name)` says where it is."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("PG")]:
            patch.delenv(variable)  # PGPORT, PGOPTIONS, PGSERVICE ...: libpq would mix them into our URLs
        try:
            cluster = Cluster(binaries.find())
        except binaries.NoServer as problem:
            pytest.fail(str(problem), pytrace=False)
        with cluster:
            yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """`postgresql://...` of a new, empty database; it is dropped after the test, whoever is still connected."""
    database = postgres_cluster.create()
    yield postgres_cluster.url(database)
    postgres_cluster.drop(database)
