"""`[run] user`, with the real daemon: as root it becomes that user; as anybody else it says why it cannot."""

import os
import pwd
import signal

from tests.e2e.site import Site

NOBODY = pwd.getpwnam("nobody")
SCRIPT = "echo $(id -un) $HOME $USER $LOGNAME"


def allow(site: Site, *names: str) -> None:
    settings = site.config / "sensord.toml"
    settings.write_text(f'state = "../state"\nallowed_users = [{", ".join(map(repr, names))}]\n')


def as_user(name: str) -> str:
    return f'[schedule]\ncron = "0 2 * * *"\n[run]\nshell = true\ncwd = "/"\nuser = "{name}"\ncommand = "{SCRIPT}"\n'


def test_a_flow_runs_as_a_user_who_is_allowed(site: Site) -> None:
    allow(site, "nobody")
    site.flow("theirs", as_user("nobody"))
    site.flow("ours", site.shell("0 2 * * *", "id -u"))

    with site.daemon() as daemon:
        daemon.until("ours .*: success")
        if os.geteuid() == 0:
            if site.states()["theirs"] != "success":
                daemon.until("theirs .*: success")
            said = site.type("run", "logs", "theirs", "latest").stdout
        else:
            said = site.type("status").stdout
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert site.type("run", "logs", "ours", "latest").stdout.strip() == str(os.geteuid())
    if os.geteuid() == 0:
        assert said.split() == ["nobody", NOBODY.pw_dir, "nobody", "nobody"]
    else:
        assert 'expected a daemon that runs as root, to run commands as "nobody"' in said


def test_who_is_not_allowed_or_not_there_is_told_and_runs_nothing(site: Site) -> None:
    allow(site, "no-such-user")
    site.flow("theirs", as_user("nobody"))
    site.flow("gone", as_user("no-such-user"))
    site.flow("ours", site.shell("0 2 * * *", "true"))

    checked = site.type("check")
    with site.daemon() as daemon:
        daemon.until("ours .*: success")
        problems = {one["file"]: one["message"] for one in site.ask("status")["problems"]}
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert checked.returncode == 1
    assert 'expected one of allowed_users, got "nobody"' in checked.stdout
    assert "no-such-user" not in checked.stdout
    assert problems == {
        "flows/theirs.toml": 'expected one of allowed_users, got "nobody"',
        "flows/gone.toml": 'expected a user of this host, got "no-such-user"',
    }
    assert list(site.states()) == ["ours"]


def test_a_user_who_is_allowed_no_more_starts_nothing_from_then_on(site: Site) -> None:
    """Not even what was defined before, and goes on by its last good definition."""
    own = pwd.getpwuid(os.geteuid()).pw_name
    allow(site, own)
    every = as_user(own).replace('"0 2 * * *"', '"* * * * * *"\nseconds = true')
    site.flow("theirs", every)

    with site.daemon() as daemon:
        daemon.until("theirs .*: success")
        allow(site)
        daemon.until("theirs .*: failed")
        shown = site.ask("run", "list", "--flow", "theirs", "--state", "failed")["runs"][0]
        daemon.send(signal.SIGTERM)
        daemon.end()

    assert (shown["reason"], shown["message"]) == ("not_started", f'user "{own}" is none of allowed_users')
