"""Hypothesis profiles, and how many random cases a run has had: `make thorough` asks for over 100,000."""

import os
import re
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine draws slowly: no fault of the properties.
busy = [HealthCheck.too_slow]
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=busy)
settings.register_profile("thorough", max_examples=1_200, deadline=None, suppress_health_check=busy)
settings.register_profile("fuzz", max_examples=2_000, deadline=None, suppress_health_check=busy)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

pytest_plugins = ["tests.postgres.fixtures", "tests.support.databases"]

RANDOM_CASES = "random cases"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A property's report says how many cases it has had, as far as they were valid; so it reaches the summary."""
    report = yield
    if report.when == "call" and (told := getattr(item, "hypothesis_statistics", None)):
        cases = sum(int(number) for number in re.findall(r"(\d+) passing", told))
        report.user_properties.append((RANDOM_CASES, cases))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for listed in terminalreporter.stats.values() for one in listed if hasattr(one, "user_properties")]
    cases = [number for one in reports for name, number in one.user_properties if name == RANDOM_CASES]
    if cases and terminalreporter.config.get_verbosity() >= -1:
        terminalreporter.write_line(f"{sum(cases):,} random cases of {len(cases)} properties")
