"""A TOML file as a document, or the one problem that keeps it from being one."""

from sensord.config.document import Document, Fault, read_document
from sensord.config.files import FlowFile, read_text
from sensord.errors import Problem


def read_file(found: FlowFile, flow: str | None = None) -> Document | Problem:
    """flow: whom the problem is of. FileNotFoundError where the file is no longer there."""
    if found.fault:
        return Problem(found.fault, file=found.file, flow=flow)
    try:
        return read_document(read_text(found.path))
    except Fault as fault:
        line, column = fault.place or (None, None)
        return Problem(fault.message, fault.hint, found.file, line, column, flow)
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"expected a file that can be read, got: {error.strerror}"
        return Problem(message, file=found.file, flow=flow)
