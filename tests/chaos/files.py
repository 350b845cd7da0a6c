"""The config folder as careless people leave it: edited in pieces, broken and mended, files renamed."""

from collections.abc import Callable
from pathlib import Path

from tests.chaos.warehouse import FLOWS, LEAF, Spec
from tests.e2e.site import Site

BROKEN = (b"[schedule\n", b"corn = 5\n", b"\xff\n", b"=\n")


class Files:
    """Writes the flows. Whoever breaks one gets back what mends it."""

    def __init__(self, site: Site, begin: str, end: str) -> None:
        self._site = site
        self._begin, self._end = begin, end
        self._edition = 0
        self._names = {spec.name: spec.name for spec in FLOWS}
        self._settings = (site.config / "sensord.toml").read_text()
        for spec in FLOWS:
            self.edit(FLOWS.index(spec))

    def edit(self, whom: int) -> None:
        """Another edition of a flow, written in two pieces: whoever looks in between sees half a file."""
        spec = FLOWS[whom % len(FLOWS)]
        self._edition += 1
        text = self._text(spec)
        path = self._path(self._names[spec.name])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            file.write(text[: len(text) // 2])
            file.flush()
            file.write(text[len(text) // 2 :])

    def break_one(self, whom: int) -> Callable[[], None]:
        spec = FLOWS[whom % len(FLOWS)]
        path = self._path(self._names[spec.name])
        with path.open("ab") as file:
            file.write(BROKEN[whom % len(BROKEN)])
        return lambda: self.edit(whom)

    def rename(self) -> Callable[[], None]:
        """LEAF gets another name; what is returned gives it its own back. Never twice at once."""
        if self._names[LEAF] != LEAF:
            return lambda: None
        self._edition += 1
        self._move(f"{LEAF}_{self._edition}")
        return lambda: self._move(LEAF)

    def break_settings(self) -> Callable[[], None]:
        path = self._site.config / "sensord.toml"
        path.write_text(self._settings + 'slots = "many"\n')

        def mend() -> None:
            path.write_text(self._settings)

        return mend

    def _move(self, name: str) -> None:
        """A flow that has never been here has no written start: it begins where it comes."""
        old = self._path(self._names[LEAF])
        self._names[LEAF] = name
        new = self._path(name)
        old.rename(new)
        new.write_text(self._text(FLOWS[-1]))

    def _text(self, spec: Spec) -> str:
        start = self._names[spec.name] == spec.name
        return spec.text(self._begin, self._end, self._site.work, edition=self._edition, start=start)

    def _path(self, name: str) -> Path:
        return self._site.config / "flows" / f"{name}.toml"
