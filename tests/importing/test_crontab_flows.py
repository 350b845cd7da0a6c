"""A flow for each job: its times, its shell, its variables; and a note for all that is not as it was."""

import pytest

from sensord.importing.crontab_flows import import_crontab
from sensord.importing.draft import Draft, Imported


def read(text: str, *, zone: str | None = "UTC", users: bool | None = None, folder: str = "") -> Imported:
    return import_crontab(text, "crontab", zone=zone, users=users, folder=folder, home=homes)


def homes(user: str | None) -> str | None:
    return {None: "/home/etl", "root": "/root"}.get(user)


def one(text: str, *, zone: str | None = "UTC") -> Draft:
    (draft,) = read(text, zone=zone).drafts
    return draft


def notes(found: Imported) -> list[tuple[int | None, str, bool]]:
    return [(note.line, note.message, note.lost) for note in found.notes if note.subject != "overlaps"]


def test_a_job_becomes_a_flow_that_does_the_same() -> None:
    draft = one("# Orders of the day\n30 2 * * * load.sh orders | tee /tmp/log")
    assert draft.name == "load"
    assert draft.text() == (
        "# from crontab:2: 30 2 * * * load.sh orders | tee /tmp/log\n\n"
        'description = "Orders of the day"\n\n'
        '[schedule]\ncron = "30 2 * * *"\nfirst = "next"\ncatchup = "none"\n\n'
        '[run]\nshell = true\ncommand = "load.sh orders | tee /tmp/log"\ncwd = "/home/etl"\n'
    )


def test_what_cron_has_run_is_not_run_again_and_nothing_is_made_up_for() -> None:
    assert {"first": "next", "catchup": "none"}.items() <= one("@daily load").schedule.items()


def test_braces_of_templates_come_out_as_they_are() -> None:
    draft = one("A={{ b }}\n* * * * * docker ps --format '{{.Names}}'")
    assert draft.run["command"] == "{% raw %}docker ps --format '{{.Names}}'{% endraw %}"
    assert draft.env == {"A": "{% raw %}{{ b }}{% endraw %}"}


def test_names_are_unique_and_in_their_folder() -> None:
    found = read("1 * * * * load.sh a\n2 * * * * load.sh b\n3 * * * * LOAD c", folder="cron/")
    assert [draft.name for draft in found.drafts] == ["cron/load", "cron/load_2", "cron/LOAD_3"]


def test_another_shell_stays_the_shell() -> None:
    draft = one("SHELL=/bin/bash\n* * * * * [[ -e x ]] && load")
    assert draft.run["command"] == ["/bin/bash", "-c", "[[ -e x ]] && load"]
    assert "shell" not in draft.run
    assert draft.env == {}


def test_variables_are_the_commands_own() -> None:
    draft = one("PATH=/opt/bin\nTZ=Asia/Tokyo\n* * * * * load")
    assert draft.env == {"PATH": "/opt/bin", "TZ": "Asia/Tokyo"}
    assert "timezone" not in draft.schedule


def test_the_user_that_cron_names_in_the_environment_is_passed_on() -> None:
    assert one("* * * * * load $LOGNAME ${USER}").run["pass_env"] == ["LOGNAME", "USER"]


def test_it_starts_where_cron_starts_it() -> None:
    assert one("HOME=/srv\n* * * * * load").run["cwd"] == "/srv"
    found = read("* * * * * root load\n* * * * * nobody load", users=True)
    assert [draft.run.get("cwd") for draft in found.drafts] == ["/root", None]
    assert (2, "cron starts it in its user's home, which is not known here", False) in notes(found)


def test_times_are_by_cron_tz_or_the_zone_that_is_said() -> None:
    text = "0 2 * * * a\nCRON_TZ=Asia/Tokyo\n0 2 * * * b\nCRON_TZ=UTC\n0 2 * * * c"
    found = read(text, zone="Europe/Amsterdam")
    zones = [draft.schedule.get("timezone") for draft in found.drafts]
    assert zones == ["Europe/Amsterdam", "Asia/Tokyo", None]
    assert notes(found) == []


def test_a_zone_that_is_only_guessed_is_told() -> None:
    assert [line for line, message, _ in notes(read("0 2 * * * a", zone=None)) if "UTC" in message] == [None]
    assert notes(read("CRON_TZ=Asia/Tokyo\n0 2 * * * a", zone=None)) == []


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("@reboot load", "expected one of @yearly", "the start of a machine is none"),
        ("@dayly load", "got '@dayly'", "did you mean @daily?"),
        ("61 * * * * load", "minute field: expected 0 to 59, got '61'", None),
        ("0 22-2 * * * load", "hour field: expected a range that rises", '"22-23,0-2"'),
        ("0 0 31 2 * load", "which never fires", "no year has day 31 of month 2"),
        ("0 2 * * *", "expected five fields and a command, got less", None),
        ("0 2 * * * %a line", "expected five fields and a command, got less", None),
        ("load", "expected 5 fields", None),
    ],
)
def test_what_has_no_like_here_is_left_out_and_told(line: str, message: str, hint: str | None) -> None:
    found = read(f"* * * * * other\n{line}")
    (note,) = [note for note in found.notes if note.lost]
    assert [draft.name for draft in found.drafts] == ["other"]
    assert (note.place, note.subject) == ("crontab:2", line)
    assert message in note.message
    assert (hint or "") in (note.hint or "")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("CRON_TZ=Mars\n* * * * * load", 2, "CRON_TZ: expected a time zone"),
        ("SHELL=/bin/csh\n* * * * * cat%a", 2, "the lines after % cannot be given to /bin/csh"),
        ("A.B=1\n* * * * * load", 1, "a variable of this name cannot be given"),
        ("sensord_flow=1\n* * * * * load", 1, "a variable of this name cannot be given"),
    ],
)
def test_what_a_variable_makes_impossible_is_told(text: str, line: int, message: str) -> None:
    lost = [note for note in read(text).notes if note.lost]
    assert [note.line for note in lost] == [line]
    assert message in lost[0].message


def test_mail_is_not_sent_and_a_user_is_not_taken() -> None:
    found = read('MAILTO="ops@example.org"\n* * * * * root a\n* * * * * root b\nMAILTO=""\n', users=True)
    assert notes(found) == [
        (1, "no mail is sent", False),
        (2, "its commands run as the daemon's own user", False),
    ]


def test_a_backslash_that_crons_read_differently_is_told() -> None:
    assert notes(read(r"* * * * * grep a\\b c")) == [
        (1, r"`\\` is taken as it is; some crons make one backslash of two", False)
    ]


def test_that_runs_do_not_overlap_is_told_once_if_there_are_any() -> None:
    assert [note.subject for note in read("* * * * * a\n* * * * * b").notes] == ["overlaps"]
    assert read("# nothing\n").notes == []
