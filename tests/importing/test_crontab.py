"""A crontab is read as cron reads it: jobs, variables, comments, and the signs that only cron knows."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.importing.crontab import Job, Setting, has_users, read_crontab, split_input
from sensord.importing.crontab_flows import import_crontab
from tests.support.cases import share


def jobs(text: str, *, users: bool = False) -> list[Job]:
    return [one for one in read_crontab(text, users=users) if isinstance(one, Job)]


def test_a_job_is_five_fields_and_the_rest_of_its_line() -> None:
    (job,) = jobs("30 2 * * 1-5   backup --all  >  /dev/null \n")
    assert (job.line, job.schedule, job.command) == (1, "30 2 * * 1-5", "backup --all  >  /dev/null")


@pytest.mark.parametrize("line", ["@daily load", " \t@daily\tload", "@daily   load\r"])
def test_an_alias_stands_for_the_fields(line: str) -> None:
    (job,) = jobs(line)
    assert (job.schedule, job.command) == ("@daily", "load")


def test_in_the_crontab_of_the_system_a_user_comes_first() -> None:
    (job,) = jobs("17 * * * *\troot    cd / && run-parts /etc/cron.hourly", users=True)
    assert (job.user, job.command) == ("root", "cd / && run-parts /etc/cron.hourly")


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("17 * * * * root cd /", True),
        ("@daily\troot cd /", True),
        ("# m h dom mon dow user  command\n17 * * * * www cd /", True),
        ("# m h  dom mon dow   command\n17 * * * * backup cd /", False),
        ("17 * * * * rooting cd /", False),
        ("# for the user of user root\n17 * * * * backup", False),
        ("", False),
    ],
)
def test_whether_there_are_users_shows_in_titles_or_a_job_of_roots(text: str, users: bool) -> None:
    assert has_users(text) is users


def test_a_variable_holds_for_the_jobs_below_it() -> None:
    text = "A=1\n* * * * * one\n A = \"2 \"  \n'B'=' x'\nC=it's\nD=\n* * * * * B=9 two"
    assert [job.variables for job in jobs(text)] == [{"A": "1"}, {"A": "2 ", "B": " x", "C": "it's", "D": ""}]
    assert jobs(text)[1].command == "B=9 two"
    settings = [one for one in read_crontab(text, users=False) if isinstance(one, Setting)]
    assert [one.line for one in settings] == [1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("above", "comment"),
    [
        ("# Load the orders", "Load the orders"),
        ("## Load the orders ##", "Load the orders"),
        ("# Load the orders\n# and the items", "Load the orders and the items"),
        ("# Load the orders\n#\n# -----", "Load the orders"),
        ("# Load the orders\n", ""),
        ("# Load the orders\nA=1", ""),
        ("# m h  dom mon dow   command", ""),
        ("#0 4 * * * old", ""),
        ("# @daily old", ""),
        ("# 5 times a day, the orders are loaded", "5 times a day, the orders are loaded"),
    ],
)
def test_the_comment_right_above_a_job_is_its_own(above: str, comment: str) -> None:
    assert jobs(f"{above}\n* * * * * load")[0].comment == comment


@pytest.mark.parametrize(
    ("command", "text", "given"),
    [
        (r"date +\%F", "date +%F", None),
        ("cat%a%b", "cat", "a\nb"),
        (r"cat%10\% off", "cat", "10% off"),
        (r"echo \\%x", r"echo \\", "x"),
        (r"echo \n\t", r"echo \n\t", None),
        ("cat%", "cat", ""),
    ],
)
def test_a_per_cent_sign_ends_the_command_and_then_each_line(command: str, text: str, given: str | None) -> None:
    assert split_input(command) == (text, given)


@share(1)
@given(st.text(alphabet="a\\% '\"$END\n", max_size=12).filter(lambda text: "\n" not in text))
def test_the_command_reads_just_these_lines(written: str) -> None:
    """Against what cron's own loop writes into the pipe, one letter at a time."""
    (draft,) = import_crontab(f"* * * * * cat%{written}x", "crontab", home=lambda _: "/").drafts
    shell = draft.run["command"]
    assert isinstance(shell, str)
    ran = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True)
    assert ran.stdout == piped(f"{written}x")


def piped(data: str) -> str:
    """The input of a command, as crontab(5) has it: `%` is a new line, `\\%` is `%`, and the last line ends."""
    out, at = "", 0
    while at < len(data):
        if data[at] == "\\" and data[at + 1 : at + 2] == "%":
            out, at = f"{out}%", at + 2
        elif data[at] == "\\" and data[at + 1 : at + 2] == "\\":
            out, at = rf"{out}\\", at + 2
        else:
            out, at = out + ("\n" if data[at] == "%" else data[at]), at + 1
    return out if out.endswith("\n") else f"{out}\n"
