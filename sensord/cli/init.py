"""`sensord init`: a config folder to begin with."""

from pathlib import Path

import click

from sensord.cli.command import Command, Session, pass_session


@click.command("init", cls=Command, examples=["sensord init", "sensord init /etc/sensord"])
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@pass_session
def init(session: Session, folder: Path | None) -> None:
    """Make a config folder to begin with.

    Settings, two flows of which one waits for the other, and schemas for editors: in DIR, else where --config or
    SENSORD_CONFIG say, else in config/. What is there already stays as it is; where there is any flow, no example is
    added. Editors that know `#:schema` lines complete keys and mark errors.
    """
    from sensord.cli import render
    from sensord.cli.scaffold import first_files, write_new
    from sensord.config.names import FLOWS_FOLDER
    from sensord.errors import SensordError

    target = folder or session.config_dir
    has_flows = any((target / FLOWS_FOLDER).rglob("*.toml"))
    try:
        for file, text in first_files().items():
            if has_flows and file.startswith(f"{FLOWS_FOLDER}/"):
                continue
            made = write_new(target / file, text)
            render.message(f"{'made' if made else 'kept'} {target / file}")
    except OSError as error:
        raise SensordError(f"cannot write {error.filename}: {error.strerror}") from error
    at = "" if target == Path("config") else f" --config {target}"
    render.message(f"next: `sensord{at} check`, then `sensord{at} daemon start`")
