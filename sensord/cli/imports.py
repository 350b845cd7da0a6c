"""`sensord import`: flows from crontabs, and from Airflow's DAGs."""

import sys
from pathlib import Path

import click

from sensord.cli.command import Group, Session, pass_session

_ZONE = "By which its times are, where it does not say so itself."
_INTO = "The folder below flows/ to write into."
_DRY_RUN = "Print the files, write none."

into_option = click.option("--into", "folder", metavar="FOLDER", default="", help=_INTO)
dry_run_option = click.option("--dry-run", is_flag=True, help=_DRY_RUN)


@click.group("import", cls=Group)
def imports() -> None:
    """Make flows of what another system runs."""


@imports.command(
    "crontab",
    examples=[
        "sensord import crontab /etc/crontab --timezone Europe/Amsterdam --dry-run",
        "sensord import crontab jobs.cron --into cron",
    ],
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--timezone", "zone", metavar="ZONE", help=_ZONE)
@click.option("--users/--no-users", default=None, help="Whether a user stands before each command, as in /etc/crontab.")
@into_option
@dry_run_option
@pass_session
def crontab(session: Session, file: Path, zone: str | None, users: bool | None, folder: str, dry_run: bool) -> None:
    """Make a flow of each line of a crontab; `-` reads what `crontab -l` prints.

    The commands stay what they are, with the variables and the folder that cron gives them. Files that are there are
    never written over. What could not be carried over is told, line by line, and why; what is written has passed the
    check of its file.
    """
    from sensord.cli.import_files import finish, folder_name, given_zone, homes
    from sensord.config import load_settings
    from sensord.config.document import Fault
    from sensord.config.files import decode, read_text
    from sensord.errors import NotFound, SensordError
    from sensord.importing.crontab_flows import import_crontab

    prefix, zone = folder_name(folder), given_zone(zone)
    name = "crontab" if str(file) == "-" else str(file)
    try:
        text = decode(sys.stdin.buffer.read()) if str(file) == "-" else read_text(file)
    except FileNotFoundError as error:
        raise NotFound(f"no file {name}") from error
    except OSError as error:
        raise SensordError(f"cannot read {name}: {error.strerror}") from error
    except Fault as error:
        place = f"{name}:{error.place.line}:{error.place.column}" if error.place else name
        raise SensordError(f"cannot read {place}: {error}", hint=error.hint) from error
    allowed = load_settings(session.config_dir).allowed_users
    found = import_crontab(text, name, zone=zone, users=users, allowed=allowed, folder=prefix, home=homes(session))
    finish(session, found, dry_run=dry_run)


@imports.command(
    "airflow",
    examples=[
        "sensord import airflow dags/ --dry-run",
        "sensord import airflow /opt/airflow/dags --into airflow --logical-date tick",
    ],
)
@click.argument("folder", metavar="DAGS_DIR", type=click.Path(path_type=Path))
@click.option(
    "--logical-date",
    "named",
    type=click.Choice(("start", "tick")),
    default="start",
    show_default=True,
    help="What a date names there: the start of an interval (Airflow 2), or the tick (Airflow 3's default).",
)
@click.option("--timezone", "zone", metavar="ZONE", help="Airflow's default_timezone, if that is not UTC.")
@click.option("--split", is_flag=True, help="A flow for each task, also where a chain of them may be one command.")
@click.option("--into", "into", metavar="FOLDER", default="", help=_INTO)
@dry_run_option
@pass_session
def airflow(
    session: Session, folder: Path, named: str, zone: str | None, split: bool, into: str, dry_run: bool
) -> None:
    """Make flows of Airflow's DAGs, by their files' text: nothing of them is run.

    Schedules, BashOperators and ExternalTaskSensors are taken over. What is not stands in the report, and where it
    would run, the flow fails and says so. The report also says how dates shift: a date here is a run's tick, the end of
    its interval.
    """
    from sensord.cli.import_files import finish, folder_name, given_zone, read_dags_folder
    from sensord.core.zone import parse_zone
    from sensord.importing.airflow_flows import import_airflow

    prefix, own = folder_name(into), parse_zone(given_zone(zone) or "UTC")
    files = read_dags_folder(folder)
    now = session.clock.now()
    found = import_airflow(files, interval=named == "start", zone=own, now=now, folder=prefix, split=split)
    finish(session, found, dry_run=dry_run)
