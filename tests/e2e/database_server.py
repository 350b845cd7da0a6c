"""A PostgreSQL that tests may stop, start and restart, and a wire to it that they may cut."""

import selectors
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg

from tests.postgres import binaries, keeper


class Server:
    """One cluster, for one test. `url` names its only database."""

    def __init__(self, folder: Path, programs: Path, owner: keeper.Owner) -> None:
        self.folder = folder
        self.url = f"postgresql://postgres@/postgres?host={folder}&port=5432"
        self._programs = programs
        self._owner = owner
        self._environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None
        keeper.initialise(programs, folder, owner, self._environment)
        self.start()

    def start(self) -> None:
        self._process = keeper.serve(self._programs, self.folder, self._owner, self._environment, keeper.OPTIONS)
        keeper.await_ready(self._process, self.folder)

    def stop(self) -> None:
        """At once, but in order: every connection is told, and what was committed is kept."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def run(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)


@contextmanager
def database_server() -> Iterator[Server]:
    owner = keeper.Owner()
    with ExitStack() as folders:
        folder = folders.enter_context(keeper.temporary_folder(owner, keeper.in_memory()))
        server = Server(folder, keeper.reachable(binaries.find(), owner, folders), owner)
        try:
            yield server
        finally:
            server.close()


class Wire:
    """A socket that passes everything on to a server's, until it is cut: then it holds back whatever is sent, as a
    network does that has gone, and takes no new connections. `mend` ends the held connections and takes new ones.
    """

    def __init__(self, folder: Path, server_folder: Path) -> None:
        self.url = f"postgresql://postgres@/postgres?host={folder}&port=5432"
        self._target = str(server_folder / ".s.PGSQL.5432")
        self._path = folder / ".s.PGSQL.5432"
        self._selector = selectors.DefaultSelector()
        self._pairs: list[socket.socket] = []
        self._is_cut = threading.Event()
        self._over = threading.Event()
        self._listener = self._listen()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._is_cut.set()

    def mend(self) -> None:
        for one in self._pairs:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._is_cut.clear()

    def close(self) -> None:
        self._over.set()
        self._thread.join(60)
        for one in (*self._pairs, self._listener):
            one.close()
        self._selector.close()

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen()
        self._selector.register(listener, selectors.EVENT_READ, None)
        return listener

    def _pass_on(self) -> None:
        while not self._over.is_set():
            ready = self._selector.select(0.02)
            if self._is_cut.is_set():
                self._over.wait(0.02)
                continue
            for key, _ in ready:
                if key.data is None:
                    self._connect()
                else:
                    self._carry(key.fileobj, key.data)  # type: ignore[arg-type]  # only sockets are registered

    def _connect(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            return
        self._pairs += [client, server]
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = source.recv(65536)
            target.sendall(data)
        if not data:
            self._selector.unregister(source)
            with suppress(OSError):
                target.shutdown(socket.SHUT_WR)
