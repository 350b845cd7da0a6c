"""Whatever changes in the files, in whatever order: the picture that reloads have moved along is the one read anew."""

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from sensord.errors import InvalidValue, NotFound
from tests.daemon.anew import prove
from tests.daemon.world import World, on

NAMES = ["a", "b", "c", "team/d", "team/e"]
RULES = ('cron = "0 * * * *"', 'cron = "30 */3 * * *"', 'every = "7h"\nstart = 2026-11-20T01:00:00Z')
POOLS = ("", "[pools]\nsmall = 1\n", 'retention = "9d"\n[pools]\nsmall = 3\n')


class Editor:
    """Writes, breaks, removes and moves files; pauses flows; lets time pass. All from one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, Random(seed)
        for name in NAMES:
            self.write(name)

    def write(self, name: str) -> None:
        place = NAMES.index(name)
        rule = self.random.choice(RULES)
        if place and self.random.random() < 0.4:
            rule = f'follow = "{self.random.choice(NAMES[:place])}"'
        run = ["[run]", 'command = ["true"]', f"priority = {self.random.choice((0, 0, 7))}"]
        run += self.random.choice(([], ['pool = "small"'], ["max_active = 3"]))
        keep = self.random.choice(("", 'retention = "3d"\n'))
        watched = self.random.sample(NAMES[:place], k=min(place, self.random.randint(0, 2)))
        sensors = [on(one, require=self.random.choice(("all", "any"))) for one in watched]
        self.world.flow(name, f"{keep}[schedule]\n{rule}", "\n".join(run), *sensors)

    def change(self) -> None:
        """One to three files, or something else."""
        chance = self.random.random()
        name = self.random.choice(NAMES)
        if chance < 0.2:
            kind = self.random.choice(("pause", "resume"))
            with suppress(InvalidValue, NotFound):  # it is paused already, or gone
                self.world.daemon.change(kind, {"flow": name})
        elif chance < 0.3:
            (self.world.folder / "sensord.toml").write_text(self.random.choice(POOLS))
        else:
            for one in {name, *self.random.sample(NAMES, k=self.random.randint(0, 2))}:
                self._edit(one)

    def _edit(self, name: str) -> None:
        chance = self.random.random()
        file = self.world.folder / "flows" / f"{name}.toml"
        if chance < 0.15:
            file.unlink(missing_ok=True)
        elif chance < 0.3:
            self.world.flow(name, "[schedule")
        else:
            self.write(name)


@pytest.mark.parametrize("seed", range(6))
def test_the_picture_is_what_a_new_daemon_would_read(world: World, seed: int) -> None:
    editor = Editor(world, seed)
    world.start()
    for _ in range(40):
        editor.change()
        world.clock.move(timedelta(seconds=1))
        world.daemon.reload()
        _prove(world)
        world.clock.move(timedelta(minutes=editor.random.choice((0, 5, 90, 600))))
        world.tick()
        _prove(world)


def test_a_reload_that_changes_nothing_asks_for_no_flow(world: World) -> None:
    for name in NAMES:
        world.flow(name, f'[schedule]\n{RULES[0]}\n[run]\ncommand = ["true"]')
    world.start()
    before = world.db.statements

    world.daemon.reload()
    nothing = world.db.statements - before

    for number in range(30):
        world.flow(f"more/{number}", f'[schedule]\n{RULES[0]}\n[run]\ncommand = ["true"]')
    world.daemon.reload()
    before = world.db.statements
    world.daemon.reload()

    assert world.db.statements - before == nothing
    assert nothing <= 6


def _prove(world: World) -> None:
    daemon = world.daemon
    with world.db.transaction() as tx:
        prove(daemon._picture, tx)
    ages = {one.id: one.flow.retention or daemon._retention for one in daemon._picture.catalog.by_id.values()}
    pruned = {flow_id: timedelta(microseconds=age) for flow_id, age in daemon._pruner._ages.items()}
    assert pruned == {flow_id: age for flow_id, age in ages.items() if age is not None}
    assert daemon._pruner._cursors.keys() >= pruned.keys()
