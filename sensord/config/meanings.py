"""What each key means, in the words of docs/reference: for editors, by way of the JSON Schema.

Made by `python -m tests.config.meanings`; a test compares.
"""

MEANINGS: dict[str, dict[str, str]] = {
    "": {
        "extends": ("The file that this one builds on: see templates and defaults."),
        "description": ("What the flow is for. Shown, never interpreted."),
        "owner": ("Whom to ask. Shown, never interpreted."),
        "tags": ("Words to find flows by."),
        "retention": ("How long more than the outcome of this flow's runs is kept."),
        "params": ("Values for the templates of the command, as params.name."),
        "schedule": ("When."),
        "run": ("What."),
        "sensors": ("What each run waits for."),
    },
    "schedule": {
        "cron": (
            "Five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, "
            "@monthly, @yearly. Debian's rules hold where clocks change."
        ),
        "every": ('"90m" is exact; "1d", "2w", "1mo", "1y" keep the wall time. Needs start, which is its first tick.'),
        "follow": ("The ticks and the zone of that flow, but neither its start nor its end. Adds no sensor."),
        "seconds": ("With cron: a sixth field, the last one, for seconds."),
        "timezone": ("Of the tz database: Europe/Amsterdam. Never the host's. Not with follow, which has the other's."),
        "start": ("The first instant that may be a tick. Nothing before it is run, unless by a backfill."),
        "end": ("The last instant that may be a tick."),
        "first": (
            "Where a new flow begins: with its last tick before it came, or with its next. Not with "
            "start, which says so itself."
        ),
        "catchup": ("Which missed ticks are run: all, the oldest first; the newest of them; or none."),
        "catchup_limit": ("Of those, so many of the newest at most, or those that are so old at most."),
        "late_limit": ('With catchup = "none": a missed tick that is younger than this is run all the same.'),
    },
    "run": {
        "command": ("The program and its arguments, as they are: no shell looks at them. With shell = true one text."),
        "shell": ("Whether command is a text for /bin/sh -c."),
        "env": (
            "Variables for the command, on top of PATH, HOME and LANG. Names that start with SENSORD_ "
            "are sensord's own."
        ),
        "pass_env": ("Variables of the daemon that the command sees too. env goes before them."),
        "cwd": ("Where the command runs: relative to the config folder, unless absolute."),
        "timeout": (
            "How long the command may run. Then its process group is sent SIGTERM, and the run fails (timed_out)."
        ),
        "grace": ("How long after SIGTERM what still runs is sent SIGKILL."),
        "retries": ("How often a failed run is tried again before it counts as failed."),
        "retry_delay": ("The pause before the first retry; up to a tenth is added at random."),
        "retry_backoff": ("What each further pause is multiplied by. None is longer than a day."),
        "max_active": ("How many runs of the flow may be under way at once."),
        "priority": ("The higher goes first where slots are short; what it waits for goes as early."),
        "pool": ("Whose slots its runs take besides the executor's: one of [pools] in sensord.toml."),
        "user": ("Whom the command runs as: one of allowed_users in sensord.toml."),
        "executor": ("Where its runs start: on the daemon's host, or on one of the workers."),
        "queue": ("With procrastinate: only workers that take from this queue start its runs."),
    },
    "sensors": {
        "upstream": ("The flow to wait for. It may be the flow itself, which then also accepts skipped."),
        "match": ("same, latest, next, interval, overlap or python:module:function."),
        "align": ("Floors the date: hour, day, week, month, quarter, year, or upstream for its last tick."),
        "offset": ('Shifts the date, after align: "-1d".'),
        "back": ("So many ticks (latest) or intervals further back."),
        "ahead": ("So many ticks (latest) or intervals forward. Not with back."),
        "count": ("So many ticks (latest, next) or intervals together."),
        "strict": ("latest and next: leave out a tick at the date itself."),
        "within": ("interval and overlap: this long, up to the date."),
        "since": ("interval and overlap: from the beginning of the period, or from that instant."),
        "closed": ("interval: which ends belong to it."),
        "week_start": ("The day on which a week begins, for align and since."),
        "require": ("How many of the mapped runs must be accepted."),
        "accept": ('Of success, failed, skipped, cancelled; "finished" is all four.'),
        "on_failure": (
            "When too few are left since some failed or were cancelled: wait (for a repair), fail, skip, proceed."
        ),
        "on_skipped": ("The same for those that were skipped, or missed."),
        "on_missing": ("The same where the mapping finds nothing, and never will."),
        "timeout": (
            "How long to wait, at most: from the logical date, or from when the run was made or rerun if that is later."
        ),
        "on_timeout": ("What happens then: see deadlines. Needs timeout."),
    },
    "sensord.toml": {
        "database": ("sqlite:///absolute/path or postgresql://user@host/database."),
        "database_file": (
            "A file that holds the URL, for one with a password: keep it at mode 0600. Not with database."
        ),
        "state": ("Logs and the state of commands, and the default database, sensord.db."),
        "durability": ("SQLite only. normal is faster, and may lose the last moments in a power cut, never more."),
        "slots": ("How many commands may run at once: they mostly wait for the warehouse."),
        "pools": ("Slots that the runs of some flows share."),
        "allowed_users": ("Users that the [run] user of a flow may name."),
        "mapping_modules": (
            'Modules that match = "python:module:function" may name; with warehouse also '
            "warehouse.calendar. They are looked for where sensord is installed and in PYTHONPATH."
        ),
        "retention": ('How long more than the outcome of a run is kept, such as "90d"; a flow may say otherwise.'),
        "retire_after": ('How long the file of a flow may be gone before the flow is given up. "0s" is at once.'),
        "lost_after": (
            "How long no daemon of a host may be heard of before the commands that run there count as "
            "lost. At least a minute."
        ),
        "executor": (
            "Where the runs of flows start that name none: on the daemon's host, or on workers, which needs PostgreSQL."
        ),
        "queue": ("From which queue workers take the runs of flows that name none."),
        "heartbeat_limit": (
            "How long a worker may be without the database before it ends its own commands. At least five seconds."
        ),
        "watch": (
            "How the daemon notices that files have changed. poll looks every two seconds, for file "
            "systems without events; with off, ask for a reload."
        ),
    },
}
