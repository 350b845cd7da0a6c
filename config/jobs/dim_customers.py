"""dim/customers, every day at 02:00: the users of this machine, with the groups they belong to.

Where the customers come from: /etc/passwd and /etc/group. Those who come from elsewhere (LDAP, a container's host) are
not in these files; their orders show up as a customer without a name.
"""

from __future__ import annotations

from machine import etc, read
from tables import Row, Snapshot
from warehouse import Lacking, Run, perform, stamp

COLUMNS = ["customer_id", "name", "segment", "main_group", "groups", "shell"]
FIRST_PERSON, NOBODY = 1000, 65534


def rebuild(run: Run) -> str:
    groups, members = read_groups()
    rows: dict[str, Row] = {}
    for name, _, uid, gid, _, _, shell in accounts("passwd", 7):
        main_group = groups.get(gid, gid)
        row = {
            "customer_id": uid,
            "name": name,
            "segment": segment(int(uid)),
            "main_group": main_group,
            "groups": " ".join(sorted({main_group, *members.get(name, ())})),
            "shell": shell,
        }
        rows.setdefault(uid, row)
    if not rows:
        raise Lacking(f"found no account in {etc('passwd')}")
    Snapshot("dim/customers", COLUMNS).write(run.logical_date, list(rows.values()))
    people = sum(row["segment"] == "person" for row in rows.values())
    return f"{len(rows)} customers as of {stamp(run.logical_date)}: {people} people, {len(rows) - people} of the system"


def read_groups() -> tuple[dict[str, str], dict[str, list[str]]]:
    """The names of the groups by id, and the groups that list a user as a member, by the user's name."""
    names: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for group, _, gid, users in accounts("group", 4):
        names.setdefault(gid, group)
        for user in filter(None, users.split(",")):
            members.setdefault(user, []).append(group)
    return names, members


def accounts(name: str, fields: int) -> list[list[str]]:
    """The lines of /etc/passwd or /etc/group that hold an account; comments and NIS markers (`+::::::`) do not."""
    lines = [line.split(":") for line in read(etc(name)).splitlines()]
    return [line for line in lines if len(line) == fields and line[2].isdigit()]


def segment(uid: int) -> str:
    return "person" if FIRST_PERSON <= uid < NOBODY else "system"


if __name__ == "__main__":
    perform(rebuild)
