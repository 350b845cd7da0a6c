"""Runs that people make by hand: at a tick or at any other instant, with params of their own."""

from tests.daemon.world import on
from tests.scenarios.steps import (
    Step,
    daily,
    executes,
    fails,
    given,
    hourly,
    is_refused,
    leap,
    reload,
    restart,
    runs,
    says,
    skips,
    succeeds,
    then,
    tick,
    types,
)

MODES = '[params]\nmode = "delta"\nlimit = 10\nfull = false\n' + daily().replace(
    '["true"]', '["load", "{{ params.mode }}", "{{ params.limit }}", "{{ params.full }}"]'
)
SHELL = '[params]\nwhat = "x"\n' + daily(run="shell = true").replace('["true"]', '"load {{ params.what }}"')

SCENARIOS: dict[str, tuple[Step, ...]] = {
    "a parameter of one run": (
        given(up=MODES),
        tick("02:30"),
        types("run trigger up --at 02:15 --param mode=full --param limit=-7 --param full=true"),
        then("up 02:00 running", "up 02:15 queued"),
        says("run show up 02:15", 'full = true, limit = -7, mode = "full"'),
        says("run show up 02:15 --json", '"mode": "full"'),
        succeeds("up", "02:00"),
        executes("up", "02:00", "load", "delta", "10", "false"),
        executes("up", "02:15", "load", "full", "-7", "true"),
    ),
    "it stays with the run, also for another try and for another daemon": (
        given(up=MODES.replace("[run]", '[run]\nretries = 1\nretry_delay = "5m"')),
        types("run trigger up --at 01:15 --param mode=full"),
        fails("up", "01:15"),
        restart(),
        tick("01:40"),
        executes("up", "01:15", "load", "full", "10", "false"),
        fails("up", "01:15"),
        types("run rerun up 01:15"),
        executes("up", "01:15", "load", "full", "10", "false"),
    ),
    "what the flow's file gives up is given up": (
        given(up=MODES),
        types("run trigger up --at 01:15 --param mode=full --param limit=3"),
        succeeds("up", "01:15"),
        reload(up=daily(run='env.LIMIT = "{{ params.limit }}"') + "[params]\nlimit = 1.5\n"),
        types("run rerun up 01:15"),
        executes("up", "01:15", "true"),
    ),
    "a parameter that there is not, or that is of another type": (
        given(up=MODES),
        is_refused("run trigger up --param mod=full", 'did you mean "mode"?'),
        is_refused("run trigger up --param limit=ten --param full=1", "expected a whole number for params.limit"),
        is_refused("run trigger up --param limit=ten --param full=1", "expected true or false for params.full"),
        is_refused("run trigger up --param mode", "expected NAME=VALUE", 2),
        is_refused("run trigger up --param mode=a --param mode=b", "expected each param once", 2),
    ),
    "no parameter breaks out of its word": (
        given(up=SHELL),
        types("run trigger up --at 01:15 --param what=';rm'$(x)"),
        executes("up", "01:15", "/bin/sh", "-c", """load ''"'"';rm'"'"'$(x)'"""),
    ),
    "without a date it is for now, and never for a tick": (
        given("22 02:00", up=hourly(), down=hourly(on("up"))),
        types("run trigger up"),
        types("run trigger up"),
        says("run list --flow up --json", "2026-11-22T01:59:59Z"),
        says("run list --flow up --json", "2026-11-22T01:59:58Z"),
    ),
    "a tick is asked for by its date": (
        given("22 05:30", up=hourly()),
        is_refused("run trigger up --date 03:10", "its ticks next to that: 2026-11-22T03:00:00Z, 2026-11-22T04:00:00Z"),
        types("run trigger up --date 03:00"),
        is_refused("run trigger up --date 03:00", "sensord run rerun up 2026-11-22T03:00:00Z"),
        then("up 03:00 running"),
    ),
    "also before a written start": (
        given("22 05:30", up=hourly(schedule="start = 2026-11-22T05:00:00")),
        tick("05:31"),
        types("run trigger up --date 03:00"),
        then("up 03:00 queued", "up 05:00 running"),
    ),
    "nothing is run for a date to come": (
        given("22 05:30", up=hourly()),
        is_refused("run trigger up --date 06:00", "expected a date that has come"),
        is_refused("run trigger up --at 06:10", "expected a date that has come"),
        is_refused("run trigger up --date 05:00 --at 05:10", "expected --date or --at", 2),
    ),
    "off the ticks it satisfies nobody": (
        given("22 04:30", up=hourly(), down=hourly(on("up"))),
        types("run trigger up --at 04:20"),
        succeeds("up", "04:20"),
        tick("05:00"),
        then("up 05:00 running", "down 05:00 waiting"),
    ),
    "a tick that is not planned yet is not run twice": (
        given("22 04:30", up=hourly(), down=hourly(on("up"))),
        leap("05:00"),
        types("run trigger up --date 05:00"),
        tick("05:01"),
        runs("up", "05:00"),
        then("up 05:00 running", "down 05:00 waiting"),
        succeeds("up", "05:00"),
        then("down 05:00 running"),
    ),
    "it waits for its sensors, and by their policies it may end": (
        given(up=daily(), down=hourly(on("up"))),
        tick("02:30"),
        types("run trigger down --at 02:20"),
        then("down 02:20 waiting"),
        skips("up", "02:00"),
        then("down 02:20 skipped (upstream_skipped)"),
        types("run trigger down --at 02:10"),
        then("down 02:10 skipped (upstream_skipped)"),
    ),
    "without a file there is nothing to run": (
        given("22 04:30", up=hourly()),
        reload("up"),
        is_refused("run trigger up", "whose file is gone"),
    ),
}
