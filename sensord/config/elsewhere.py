"""What other systems call the keys of a flow's file, where no likeness of letters would lead to ours."""

WORDS = {
    "bash_command": ("run", "command"),
    "cmd": ("run", "command"),
    "script": ("run", "command"),
    "dir": ("run", "cwd"),
    "workdir": ("run", "cwd"),
    "working_dir": ("run", "cwd"),
    "working_directory": ("run", "cwd"),
    "environment": ("run", "env"),
    "concurrency": ("run", "max_active"),
    "max_active_runs": ("run", "max_active"),
    "execution_timeout": ("run", "timeout"),
    "run_as": ("run", "user"),
    "interval": ("schedule", "every"),
    "schedule_interval": ("schedule", "cron"),
    "start_date": ("schedule", "start"),
    "end_date": ("schedule", "end"),
    "tz": ("schedule", "timezone"),
    "dependencies": ("sensors", "upstream"),
    "depends_on": ("sensors", "upstream"),
    "external_dag_id": ("sensors", "upstream"),
    "wait_for": ("sensors", "upstream"),
}
"""Their word: (our table, our key)."""
