"""Links flows to one another: who follows whom, and whether every upstream is there; and to what sensord.toml has: its
pools, its users, its executor.

A flow whose own file has errors is no upstream for others, unless `known` says that a good definition of it is at work.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from sensord.config.names import did_you_mean, propose_flow, show
from sensord.config.settings import PROCRASTINATE, SHARED_HINT, Settings
from sensord.config.source import Loaded, Reference, Source, finish
from sensord.core.mapping import Loader
from sensord.core.schedule import Schedule
from sensord.errors import Problem

Refusal = tuple[str, str | None]
"""Why something may not be: a message, and a hint."""

_USER_HINT = "add it to allowed_users in sensord.toml"
_POOL_HINT = "give it slots below [pools] in sensord.toml: {} = 4"


def link(
    sources: Mapping[str, Source],
    known: Mapping[str, Schedule],
    load: Loader,
    settings: Settings,
    refuse_user: Callable[[str], Refusal | None] = lambda _: None,
) -> tuple[dict[str, Loaded], list[Problem]]:
    """The flows that can be used, by name, and what is wrong with the links of the others.

    refuse_user: why a user, though allowed, cannot be had here; only asked for flows that run here.
    """
    linker = _Linker(sources, known, load)
    linker.follow_all()
    linker.check_pools(settings.pools)
    linker.check_users(settings, refuse_user)
    linker.check_places(settings)
    linker.check_upstreams()
    return linker.loaded, linker.problems


class _Linker:
    def __init__(self, sources: Mapping[str, Source], known: Mapping[str, Schedule], load: Loader) -> None:
        self.sources = sources
        self.known = known
        self.load = load
        self.loaded = {name: source.loaded for name, source in sources.items() if source.loaded}
        self.problems: list[Problem] = []
        self._settled: set[str] = set()

    def follow_all(self) -> None:
        """Finish the followers, each after the one that it follows."""
        for source in self.sources.values():
            if source.loaded or not source.follow:
                continue
            for one in reversed(self._open_chain(source)):
                self._finish(one)
        for source in self.sources.values():
            if source.follow and source.problems:
                self._followed(source, source.follow)

    def _open_chain(self, source: Source) -> list[Source]:
        """The drafts that wait for one another, from `source` on; without those that go in a circle, which are said."""
        chain: list[Source] = []
        one: Source | None = source
        while one and one.follow and one.draft and one.name not in self._settled:
            self._settled.add(one.name)
            chain.append(one)
            one = self.sources.get(one.follow.name)
        names = [link.name for link in chain]
        if one and one.name in names:
            first = names.index(one.name)
            self._refuse_circle(chain[first:])
            return chain[:first]
        return chain

    def _refuse_circle(self, circle: list[Source]) -> None:
        for number, source in enumerate(circle):
            names = [one.name for one in circle[number:] + circle[:number]] + [source.name]
            message = f"expected flows that do not follow one another in a circle, got {' -> '.join(names)}"
            self.problems.append(source.problem(message, "one of them needs a cron or every", source.follow))

    def _finish(self, source: Source) -> None:
        schedule = self._followed(source, source.follow) if source.follow else None
        if schedule is None:
            return
        done = finish(source, schedule, self.load)
        if isinstance(done, Loaded):
            self.loaded[source.name] = done
        else:
            self.problems += done

    def _followed(self, source: Source, at: Reference) -> Schedule | None:
        """The schedule of the flow that `at` names; None, and a problem, where there is none."""
        if at.name not in self.sources:
            self._refuse_unknown(source, at)
            return None
        target = self.loaded.get(at.name)
        schedule = target.flow.schedule if target else self.known.get(at.name)
        if schedule is None and at.name != source.name:
            self._refuse_broken(source, at)
        return schedule

    def check_pools(self, pools: Collection[str]) -> None:
        """Take out the flows that name a pool which sensord.toml has not."""
        for source in self.sources.values():
            if source.pool and source.pool.name not in pools:
                hint = did_you_mean(source.pool.name, pools) or _POOL_HINT.format(source.pool.name)
                self._take_out(source, f"expected the name of a pool, got {show(source.pool.name)}", hint, source.pool)

    def check_users(self, settings: Settings, refuse: Callable[[str], Refusal | None]) -> None:
        """Take out the flows whose commands are to run as a user who is not allowed, or cannot be had here. Whom a
        worker can become is for its own host to say."""
        users = settings.allowed_users
        for source in self.sources.values():
            executor = source.executor.name if source.executor else settings.executor
            is_here = executor != PROCRASTINATE or not settings.is_shared
            if source.user and source.user.name not in users:
                hint = did_you_mean(source.user.name, users) or _USER_HINT
                self._take_out(
                    source, f"expected one of allowed_users, got {show(source.user.name)}", hint, source.user
                )
            elif source.user and is_here and (refusal := refuse(source.user.name)):
                self._take_out(source, *refusal, source.user)

    def check_places(self, settings: Settings) -> None:
        """Take out the flows that name an executor which the database does not serve, or a queue without need."""
        for source in self.sources.values():
            executor = source.executor.name if source.executor else settings.executor
            if executor == PROCRASTINATE and source.executor and not settings.is_shared:
                message = f'expected "local" on a SQLite database, got "{PROCRASTINATE}"'
                self._take_out(source, message, SHARED_HINT, source.executor)
            elif executor != PROCRASTINATE and source.queue:
                message = f'expected a queue only with executor = "{PROCRASTINATE}", got one with "{executor}"'
                hint = "workers take runs from queues; the daemon's host has none"
                self._take_out(source, message, hint, source.queue)

    def _take_out(self, source: Source, message: str, hint: str | None, at: Reference) -> None:
        self.problems.append(source.problem(message, hint, at))
        self.loaded.pop(source.name, None)

    def check_upstreams(self) -> None:
        """Take out the flows that name what is not there, and with them, one after the other, those that name these."""
        for source in self.sources.values():
            for one in source.upstreams:
                if one.name not in self.sources:
                    self._refuse_unknown(source, one)
                    self.loaded.pop(source.name, None)
        broken = [name for name in self.sources if name not in self.loaded and name not in self.known]
        if not broken:
            return
        users = self._users()
        while broken:
            name = broken.pop()
            for source, reference in users[name]:
                self._refuse_broken(source, reference)
                if self.loaded.pop(source.name, None) and source.name not in self.known:
                    broken.append(source.name)

    def _users(self) -> dict[str, list[tuple[Source, Reference]]]:
        """Who names each flow as an upstream, other than itself."""
        users: dict[str, list[tuple[Source, Reference]]] = defaultdict(list)
        for source in self.sources.values():
            for one in source.upstreams:
                if one.name != source.name:
                    users[one.name].append((source, one))
        return users

    def _refuse_unknown(self, source: Source, at: Reference) -> None:
        hint = propose_flow(at.name, list(self.sources))
        self.problems.append(source.problem(f"expected the name of a flow, got {show(at.name)}", hint, at))

    def _refuse_broken(self, source: Source, at: Reference) -> None:
        hint = f"its own file has errors: {self.sources[at.name].found.file}"
        self.problems.append(source.problem(f'expected a flow that can be used, got "{at.name}"', hint, at))
