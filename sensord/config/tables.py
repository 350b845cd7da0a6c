"""The keys of a flow's file and the shapes of their values, as pydantic models. No default stands here that a Flow has.

Every value may be absent: what must be there is for `build` to say. So are the keys of a mapping, which the core reads.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PolicyName = Literal["wait", "fail", "skip", "proceed"]
Ticks = Annotated[int, Field(ge=1, le=10_000)]
ExecutorName = Literal["local", "procrastinate"]
FinalState = Literal["success", "failed", "skipped", "cancelled", "finished"]


@dataclass(frozen=True, slots=True)
class Expects:
    """What a value has to be, in words that follow "expected"; `one_of` are the words it may be, for a proposal.

    inside: what the values within it have to be.
    """

    words: str
    one_of: tuple[str, ...] = ()
    hint: str | None = None
    inside: str = "a text"


_TEXT = Expects("a text")
_FLAG = Expects("true or false")
_POLICY = Expects('"wait", "fail", "skip" or "proceed"', ("wait", "fail", "skip", "proceed"))
_AT_DEADLINE = Expects('"fail", "skip" or "proceed"', ("fail", "skip", "proceed"))
_TEXTS = Expects("a list of texts")
_TABLE = Expects("a table")
_PARAMS = Expects("a table of texts, numbers, true and false", inside="a text, a number, true or false")
_SPAN = Expects('a duration such as "45m"')
_AGE = Expects('a duration such as "90d"')
_DATE = Expects("a date, or a date with a time, without quotes", hint="such as 2025-01-31 or 2025-01-31T06:00:00")
_SENSORS = Expects("tables, each begun by [[sensors]]", hint="with double brackets: [[sensors]]")
_TICKS_OR_SPAN = Expects('a whole number from 1 to 10000, or a duration such as "3d"')
_CATCHUP = Expects('"all", "latest" or "none"', ("all", "latest", "none"))
_POOLS = Expects("a table of whole numbers from 1 to 10000", inside="a whole number from 1 to 10000")
_EXECUTOR = Expects('"local" or "procrastinate"', ("local", "procrastinate"))
QUEUE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}$"
"""Of names of queues: PostgreSQL has no room for longer ones in those of its channels."""
_QUEUE = Expects("the name of a queue: at most 40 letters, digits, _, - and dots, the first of them a letter or digit")
_WATCH = ("events", "poll", "off")
_STATES = ("success", "failed", "skipped", "cancelled")


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ScheduleTable(Table):
    cron: Annotated[str | None, Expects('a text such as "0 2 * * *"')] = None
    every: Annotated[str | None, Expects('a duration such as "90m" or "1mo"')] = None
    follow: Annotated[str | None, Expects("the name of a flow")] = None
    seconds: Annotated[bool | None, _FLAG] = None
    timezone: Annotated[str | None, Expects("a time zone such as Europe/Amsterdam")] = None
    start: Annotated[datetime | date | None, _DATE] = None
    end: Annotated[datetime | date | None, _DATE] = None
    first: Annotated[Literal["last", "next"] | None, Expects('"last" or "next"', ("last", "next"))] = None
    catchup: Annotated[Literal["all", "latest", "none"] | None, _CATCHUP] = None
    catchup_limit: Annotated[Ticks | str | None, _TICKS_OR_SPAN] = None
    late_limit: Annotated[str | None, Expects('a duration such as "5m"')] = None


class RunTable(Table):
    command: Annotated[list[str] | str | None, Expects("a list of texts, or one text with shell = true")] = None
    shell: Annotated[bool | None, _FLAG] = None
    env: Annotated[dict[str, str] | None, Expects("a table of texts")] = None
    pass_env: Annotated[list[str] | None, Expects("a list of names of variables")] = None
    cwd: Annotated[str | None, Expects("the path of a folder")] = None
    timeout: Annotated[str | None, _SPAN] = None
    grace: Annotated[str | None, _SPAN] = None
    retries: Annotated[int | None, Field(ge=0, le=1000), Expects("a whole number from 0 to 1000")] = None
    retry_delay: Annotated[str | None, _SPAN] = None
    retry_backoff: Annotated[float | None, Field(ge=1, le=100), Expects("a number from 1 to 100")] = None
    max_active: Annotated[int | None, Field(ge=1, le=1000), Expects("a whole number from 1 to 1000")] = None
    priority: Annotated[int | None, Field(ge=-1000, le=1000), Expects("a whole number from -1000 to 1000")] = None
    pool: Annotated[str | None, Expects("the name of a pool")] = None
    user: Annotated[str | None, Expects("the name of a user")] = None
    executor: Annotated[ExecutorName | None, _EXECUTOR] = None
    queue: Annotated[str | None, Field(pattern=QUEUE), _QUEUE] = None


class SensorTable(Table):
    upstream: Annotated[str | None, Expects("the name of a flow")] = None
    match: Any = None
    align: Any = None
    offset: Any = None
    back: Any = None
    ahead: Any = None
    count: Any = None
    strict: Any = None
    within: Any = None
    since: Any = None
    closed: Any = None
    week_start: Any = None
    require: Any = None
    accept: Annotated[
        list[FinalState] | Literal["finished"] | None,
        Expects('"finished", or a list of "success", "failed", "skipped", "cancelled"', _STATES),
    ] = None
    on_failure: Annotated[PolicyName | None, _POLICY] = None
    on_skipped: Annotated[PolicyName | None, _POLICY] = None
    on_missing: Annotated[PolicyName | None, _POLICY] = None
    timeout: Annotated[str | None, _SPAN] = None
    on_timeout: Annotated[Literal["fail", "skip", "proceed"] | None, _AT_DEADLINE] = None


class FlowTable(Table):
    """Of a flow's file, and of those that stand behind it: templates and defaults.toml."""

    extends: Annotated[str | None, Expects('the name of a template such as "templates/dbt"')] = None
    description: Annotated[str | None, _TEXT] = None
    owner: Annotated[str | None, _TEXT] = None
    tags: Annotated[list[str] | None, _TEXTS] = None
    retention: Annotated[str | None, _AGE] = None
    params: Annotated[dict[str, str | int | float | bool] | None, _PARAMS] = None
    schedule: Annotated[ScheduleTable | None, _TABLE] = None
    run: Annotated[RunTable | None, _TABLE] = None
    sensors: Annotated[list[SensorTable] | None, _SENSORS] = None


class SettingsTable(Table):
    """Of sensord.toml."""

    database: Annotated[str | None, Expects("the URL of a database")] = None
    database_file: Annotated[str | None, Expects("the path of a file")] = None
    state: Annotated[str | None, Expects("the path of a folder")] = None
    durability: Annotated[Literal["full", "normal"] | None, Expects('"full" or "normal"', ("full", "normal"))] = None
    slots: Annotated[int | None, Field(ge=1, le=10_000), Expects("a whole number from 1 to 10000")] = None
    pools: Annotated[dict[str, Annotated[int, Field(ge=1, le=10_000)]] | None, _POOLS] = None
    allowed_users: Annotated[list[str] | None, Expects("a list of names of users")] = None
    mapping_modules: Annotated[list[str] | None, Expects("a list of names of modules")] = None
    retention: Annotated[str | None, _AGE] = None
    retire_after: Annotated[str | None, Expects('a duration such as "10m"')] = None
    lost_after: Annotated[str | None, _SPAN] = None
    executor: Annotated[ExecutorName | None, _EXECUTOR] = None
    queue: Annotated[str | None, Field(pattern=QUEUE), _QUEUE] = None
    heartbeat_limit: Annotated[str | None, _SPAN] = None
    watch: Annotated[Literal["events", "poll", "off"] | None, Expects('"events", "poll" or "off"', _WATCH)] = None
