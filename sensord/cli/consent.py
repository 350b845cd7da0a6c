"""Asking a person before much is done: at a terminal only. Elsewhere `--yes` has to have been given."""

import click

from sensord.cli.session import Session
from sensord.errors import SensordError, UsageError


def require_person(session: Session, option: str) -> None:
    """UsageError where nobody can be asked about what `option` does."""
    if not session.interactive():
        raise UsageError(f"expected --yes with {option}, since nobody is there to be asked")


def confirm(question: str) -> None:
    """SensordError where the answer is no."""
    if not click.confirm(question, err=True):
        raise SensordError("nothing was changed")
