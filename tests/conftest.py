"""Hypothesis profiles: `HYPOTHESIS_PROFILE=thorough` runs 20,000 cases of each property, 100,000 of cron alone."""

import os

from hypothesis import HealthCheck, settings

# A busy machine draws slowly: no fault of the properties.
busy = [HealthCheck.too_slow]
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=busy)
settings.register_profile("thorough", max_examples=20_000, deadline=None, suppress_health_check=busy)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

pytest_plugins = ["tests.postgres.fixtures", "tests.support.databases"]
