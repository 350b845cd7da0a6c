"""What a flow's file says, key by key."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sensord.core.duration import parse_duration
from sensord.core.flow import Command, First, Flow, Policy
from sensord.core.mapping import Match
from sensord.core.run import FINAL, State
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_shortest_file_takes_all_defaults(folder: Folder) -> None:
    flow = folder.read(PLAIN)
    assert flow == Flow("mine", flow.schedule, Command(argv=("true",)))
    assert flow.schedule.zone == ZoneInfo("UTC")
    assert (flow.schedule.start, flow.schedule.end, flow.first) == (None, None, First.LAST)


def test_all_keys_of_the_top_and_of_run_reach_the_flow(folder: Folder) -> None:
    flow = folder.read(
        'description = "Sales"\nowner = "core"\ntags = ["a", "b"]\n',
        SCHEDULE,
        '[run]\ncommand = "load | tee log"\nshell = true\ncwd = "jobs"\nmax_active = 3\npriority = -5\n',
        'pass_env = ["TOKEN", "TOKEN"]\nenv = { B = "2", A = "1" }\n',
    )
    assert (flow.description, flow.owner, flow.tags) == ("Sales", "core", ("a", "b"))
    assert (flow.max_active, flow.priority) == (3, -5)
    assert flow.command == Command(
        shell_text="load | tee log", env=(("A", "1"), ("B", "2")), pass_env=("TOKEN",), cwd="jobs"
    )


def test_cron_ticks_are_in_the_zone_of_the_flow(folder: Folder) -> None:
    flow = folder.read('[schedule]\ncron = "0  2 * * *"\ntimezone = "Europe/Amsterdam"\n', RUN)
    assert flow.schedule.next(at("2025-07-01T00:00")) == at("2025-07-02T00:00")


def test_six_fields_need_seconds(folder: Folder) -> None:
    flow = folder.read('[schedule]\ncron = "0 2 * * * 30"\nseconds = true\n', RUN)
    assert flow.schedule.next(at("2025-07-01T00:00")) == at("2025-07-01T02:00:30")


def test_every_counts_from_the_start(folder: Folder) -> None:
    flow = folder.read('[schedule]\nevery = "90m"\nstart = 2025-01-01T00:30:00\n', RUN)
    assert flow.schedule.next(at("2025-01-01T00:30")) == at("2025-01-01T02:00")
    assert flow.schedule.prev(at("2025-01-01T00:30")) is None


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-07-01T06:00:00", "2025-07-01T04:00"),
        ("2025-07-01T06:00:00+05:00", "2025-07-01T01:00"),
        ("2025-07-01T06:00:00Z", "2025-07-01T06:00"),
        ("2025-07-01", "2025-06-30T22:00"),
        ("2025-03-30T02:30:00", "2025-03-30T01:00"),
        ("2025-10-26T02:30:00", "2025-10-26T00:30"),
    ],
    ids=["wall time", "offset", "UTC", "date is midnight", "gap", "overlap is the first"],
)
def test_a_start_is_in_the_zone_of_the_flow(folder: Folder, written: str, instant: str) -> None:
    flow = folder.read(f'[schedule]\ncron = "@daily"\ntimezone = "Europe/Amsterdam"\nstart = {written}\n', RUN)
    assert flow.schedule.start == at(instant)


def test_a_follower_takes_ticks_and_zone_but_no_bounds(folder: Folder) -> None:
    folder.flow("base", '[schedule]\ncron = "0 2 * * *"\ntimezone = "Asia/Tokyo"\nend = 2020-01-01\n', RUN)
    flow = folder.read('[schedule]\nfollow = "base"\nstart = 2025-01-01\n', RUN)
    assert flow.follow == "base"
    assert flow.schedule.next(at("2025-01-01T00:00")) == at("2025-01-01T17:00")
    assert flow.schedule.start == at("2024-12-31T15:00")
    assert flow.schedule.end is None


def test_a_chain_of_followers_is_resolved_from_its_end(folder: Folder) -> None:
    folder.flow("z_base", SCHEDULE, RUN)
    folder.flow("b", '[schedule]\nfollow = "z_base"\n', RUN)
    flow = folder.read('[schedule]\nfollow = "b"\n', RUN)
    assert flow.schedule.rule is folder.loaded("z_base").flow.schedule.rule


def test_first_next(folder: Folder) -> None:
    assert folder.read(SCHEDULE, 'first = "next"\n', RUN).first is First.NEXT


def test_sensors_are_numbered_in_the_order_of_the_file(folder: Folder) -> None:
    flow = folder.read(PLAIN, sensor(), sensor('match = "same"', upstream="other/up"))
    assert [(one.index, one.upstream, one.mapping.match) for one in flow.sensors] == [
        (0, "up", Match.LATEST),
        (1, "other/up", Match.SAME),
    ]
    assert flow.upstreams == {"up", "other/up"}


def test_a_sensor_takes_its_mapping_and_its_policies(folder: Folder) -> None:
    keys = ['match = "interval"', 'within = "1d"', "require = 2", 'accept = ["success", "skipped"]']
    policies = ['on_failure = "fail"', 'on_skipped = "wait"', 'on_missing = "proceed"']
    one = folder.read(PLAIN, sensor(*keys, *policies)).sensors[0]
    assert one.mapping.within == parse_duration("1d")
    assert one.require == 2
    assert one.accept == {State.SUCCESS, State.SKIPPED}
    assert (one.on_failure, one.on_skipped, one.on_missing) == (Policy.FAIL, Policy.WAIT, Policy.PROCEED)


def test_a_sensor_takes_its_deadline_and_fails_at_it_unless_told_otherwise(folder: Folder) -> None:
    plain, told, none = folder.read(
        PLAIN, sensor('timeout = "1d2h"'), sensor('timeout = "90m"', 'on_timeout = "proceed"'), sensor()
    ).sensors
    assert (plain.timeout, plain.on_timeout) == (parse_duration("1d2h"), Policy.FAIL)
    assert (told.timeout, told.on_timeout) == (parse_duration("90m"), Policy.PROCEED)
    assert none.timeout is None


@pytest.mark.parametrize("written", ['"finished"', '["finished"]', '["failed", "finished"]'])
def test_finished_is_every_final_state(folder: Folder, written: str) -> None:
    assert folder.read(PLAIN, sensor(f"accept = {written}")).sensors[0].accept == FINAL


@pytest.mark.parametrize("keys", [["back = 1"], ["back = 1", 'accept = ["success"]']])
def test_a_sensor_on_the_flow_itself_also_accepts_skipped(folder: Folder, keys: list[str]) -> None:
    one = folder.read(PLAIN, sensor(*keys, upstream="mine")).sensors[0]
    assert one.accept == {State.SUCCESS, State.SKIPPED}


def test_a_naive_since_is_in_the_zone_of_the_flow(folder: Folder) -> None:
    zone = 'timezone = "Europe/Amsterdam"\n'
    one = folder.read(SCHEDULE, zone, RUN, sensor('match = "interval"', "since = 2025-07-01")).sensors[0]
    assert one.mapping.since == at("2025-06-30T22:00")


def test_since_is_in_the_zone_of_the_flow_that_is_followed(folder: Folder) -> None:
    folder.flow("base", SCHEDULE, 'timezone = "Europe/Amsterdam"\n', RUN)
    keys = sensor('match = "interval"', "since = 2025-07-01")
    one = folder.read('[schedule]\nfollow = "base"\n', RUN, keys).sensors[0]
    assert one.mapping.since == at("2025-06-30T22:00")


def test_equal_mappings_are_one_object_but_true_is_not_1(folder: Folder) -> None:
    flow = folder.read(PLAIN, sensor("count = 1"), sensor("count = 1", upstream="other/up"))
    assert flow.sensors[0].mapping is flow.sensors[1].mapping
    assert folder.problems(PLAIN, sensor("count = true"))


def test_a_mapping_function_comes_from_an_allowed_module(folder: Folder) -> None:
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    one = folder.read(PLAIN, sensor('match = "python:tests.config.calendars:same"')).sensors[0]
    assert one.mapping.function is not None
    assert one.mapping.function.name == "tests.config.calendars:same"


@pytest.mark.parametrize("text", ["\ufeff" + PLAIN, PLAIN.replace("\n", "\r\n")], ids=["byte order mark", "CRLF"])
def test_what_windows_writes_is_read(folder: Folder, text: str) -> None:
    assert folder.read(text).command.argv == ("true",)
