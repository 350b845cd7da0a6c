"""Slots, pools, priorities: what starts first, and that nothing waits for ever."""

from tests.daemon.world import on
from tests.scenarios.steps import (
    Step,
    all_succeed,
    daily,
    fails,
    given,
    hourly,
    restart,
    settings,
    slots,
    succeeds,
    then,
    tick,
)

POOL = settings("[pools]\nsmall = 1\n")
IN_POOL = 'pool = "small"'

SCENARIOS: dict[str, tuple[Step, ...]] = {
    "no more commands than slots": (
        slots(1),
        given(a=daily(), b=daily()),
        tick("02:00"),
        then("a running", "b queued"),
        succeeds("a"),
        then("b running"),
    ),
    "the higher priority goes first": (
        slots(1),
        given(a=daily(), b=daily(run="priority = 5")),
        tick("02:00"),
        then("a queued", "b running"),
    ),
    "an upstream has the priority of what waits for it": (
        slots(1),
        given(a=daily(), b=daily(), urgent=daily(on("b"), run="priority = 5")),
        tick("02:00"),
        then("b running", "a queued"),
        succeeds("b"),
        then("urgent running", "a queued"),
    ),
    "and so has the upstream of that": (
        slots(1),
        given(a=daily(), b=daily(), c=daily(on("b")), urgent=daily(on("c"), run="priority = 5")),
        tick("02:00"),
        succeeds("b"),
        then("c running", "a queued"),
    ),
    "what waits and comes later lifts what is queued already": (
        slots(1),
        given(a=daily(), b=hourly(), c=daily(), urgent=daily(on("c"), run="priority = 5").replace("0 2", "0 3")),
        tick("02:00"),
        then("a running", "b queued", "c queued"),
        tick("03:00"),
        succeeds("a"),
        then("c running", "b 02:00 queued"),
    ),
    "a full pool holds back its own flows alone": (
        POOL,
        given(a=daily(run=IN_POOL), b=daily(run=IN_POOL), c=daily()),
        tick("02:00"),
        then("a running", "b queued", "c running"),
        succeeds("a"),
        then("b running"),
    ),
    "a retry gives its place in the pool back while it rests": (
        POOL,
        given(a=daily(run=f'{IN_POOL}\nretries = 1\nretry_delay = "1h"'), b=daily(run=IN_POOL)),
        tick("02:00"),
        fails("a"),
        then("a retrying", "b running"),
        tick("03:00"),
        restart(),
        then("a queued", "b running"),
        succeeds("b"),
        then("a running"),
    ),
    "an own sensor and max_active of one: in the order of their dates": (
        given("21 23:30", up=hourly(on("up", match="latest", back=1))),
        tick("22 00:00"),
        tick("02:00"),
        then("up 22 00:00 running", "up 01:00 waiting", "up 02:00 waiting"),
        all_succeed("up"),
        then("up 22 00:00 success", "up 01:00 success", "up 02:00 success"),
    ),
    "an upstream in a full pool of those that wait for it": (
        POOL,
        given(up=daily(run=IN_POOL), down=daily(on("up"), run=IN_POOL)),
        tick("02:00"),
        then("up running", "down waiting"),
        succeeds("up"),
        then("down running"),
    ),
}
