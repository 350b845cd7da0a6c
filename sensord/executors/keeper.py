"""The keeper: one process per state folder that starts the commands, outlives the daemon, and sees every end.

Usage: python -m sensord.executors.keeper STATE [--boot-id=ID] [--no-sync]. The daemon starts it where none answers; it
writes "ready" on its standard output once it, or another, does, and ends when nobody is connected and nothing runs.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import time

from sensord.clock import SystemClock
from sensord.core.instant import format_instant
from sensord.executors import doorway, wire
from sensord.executors.command import HOME, take_all_signals
from sensord.executors.custody import Custody
from sensord.executors.journal import Journal
from sensord.executors.ledger import Ledger
from sensord.executors.processes import read_boot_id

BATCH = 16
"""Messages of one connection in one pass, which one sync covers. With more, ended commands would wait for their end."""

_FIRST_VISIT = 10.0  # seconds that a new keeper waits for its daemon
_LOOK_ROUND = 10.0  # seconds between two looks whether the socket is still in its place
_LOCK_WAIT = 25.0  # seconds for a keeper that is coming or going, or has yet to miss its socket
_LOCK_PAUSE = 0.02


class Keeper:
    """The loop over sockets and signals; what they mean for the attempts is Custody's."""

    def __init__(self, state_fd: int, custody: Custody) -> None:
        self._state_fd = state_fd
        self._custody = custody
        self._channels: dict[int, wire.Channel] = {}
        self._is_leaving = False
        self._wait_until = time.monotonic() + _FIRST_VISIT
        self._look_at = time.monotonic() + _LOOK_ROUND
        self._epoll = select.epoll()
        self._epoll.register(custody.fileno(), select.EPOLLIN)
        self._wakeup = self._catch_signals()
        self._epoll.register(self._wakeup, select.EPOLLIN)
        self._listen()

    def run(self) -> None:
        while not self._is_done():
            self.turn()
        if doorway.find(self._state_fd) == self._inode:
            doorway.remove(self._state_fd)

    def turn(self) -> None:
        """One pass: wait, see what has ended, hear what everybody wants, record it, tell, sync, start, tell."""
        for fd, event in self._epoll.poll(self._timeout()):
            if fd == self._listener.fileno():
                self._accept()
            elif fd == self._wakeup.fileno():
                self._wakeup.recv(4096)
            elif fd in self._channels and event & ~select.EPOLLOUT:
                self._hear(fd)
        custody = self._custody
        custody.pull()
        custody.reap()
        for channel in self._channels.values():
            self._obey(channel)
        custody.record()
        self._tell()  # who waits for an end need not wait for the disk
        custody.sync()
        custody.start()
        self._tell()
        if time.monotonic() >= self._look_at:
            self._look_round()

    def _tell(self) -> None:
        for watcher, report in self._custody.collect():
            watcher.send(wire.encode_report(report))
        self._flush()

    def _timeout(self) -> float:
        if any(channel.has_line for channel in self._channels.values()):
            return 0.0
        pause = self._custody.pause
        return _LOOK_ROUND if pause is None else pause

    def _is_done(self) -> bool:
        if not self._custody.is_empty:
            return False
        return self._is_leaving or (not self._channels and time.monotonic() >= self._wait_until)

    def _accept(self) -> None:
        try:
            channel = wire.Channel(self._listener.accept()[0])
        except OSError as error:  # the visitor has gone, or we are out of descriptors
            log(f"cannot let a visitor in: {error.strerror}")
            return
        channel.send(wire.encode("hello", protocol=wire.PROTOCOL, pid=os.getpid()))
        self._channels[channel.fileno()] = channel
        self._epoll.register(channel, select.EPOLLIN)
        self._wait_until = 0.0

    def _hear(self, fd: int) -> None:
        channel = self._channels[fd]
        if not channel.has_line:  # what waits here is bounded: the rest may wait in the socket
            channel.receive()
        if channel.has_ended:
            self._epoll.unregister(fd)

    def _obey(self, channel: wire.Channel) -> None:
        for _ in range(BATCH):
            line = channel.next_line()
            if line is None:
                break
            try:
                self._do(wire.decode(line), channel)
            except wire.Malformed as error:
                log(f"a message was refused: {error}")
                channel.send(wire.encode("error", message=str(error)))

    def _do(self, message: wire.Message, channel: wire.Channel) -> None:
        match message["what"]:
            case "submit":
                self._custody.take(wire.decode_job(message), channel)
            case "adopt":
                self._custody.look(wire.decode_attempt(message), channel)
            case "kill":
                self._custody.kill(wire.decode_attempt(message), wire.decode_signal(message))
            case "leash":
                self._custody.let_out(wire.decode_leash(message))
            case "forget":
                self._custody.forget(wire.decode_runs(message), channel)
            case "refuse":
                self._custody.refuse(wire.decode_attempt(message), str(message.get("message")), channel)
            case what:
                raise wire.Malformed(f"expected submit, adopt, kill, leash, forget or refuse, got {what!r}")

    def _flush(self) -> None:
        """Send; wake up for whoever's socket is full; forget who has gone."""
        for fd, channel in list(self._channels.items()):
            channel.flush()
            if channel.has_ended and not channel.has_line:
                channel.close()
            if not channel.is_open:
                del self._channels[fd]
            elif not channel.has_ended:
                self._epoll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if channel.has_more_to_send else 0))

    def _look_round(self) -> None:
        self._look_at = time.monotonic() + _LOOK_ROUND
        if doorway.find(self._state_fd) is not None:
            return
        before = self._listener
        try:
            self._listen()
            before.close()
            log("the socket was gone: it is made anew")
        except OSError as error:
            log(f"the socket is gone: {error.strerror}")

    def _listen(self) -> None:
        self._listener = doorway.listen(self._state_fd)
        self._inode = doorway.find(self._state_fd)
        self._epoll.register(self._listener, select.EPOLLIN)

    def _catch_signals(self) -> socket.socket:
        """A socket that is readable after each signal, so that one wait covers signals and connections."""
        reader, self._waker = socket.socketpair()
        reader.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._leave())
        return reader

    def _leave(self) -> None:
        """Asked to end: it stays until the last command has ended, or nobody would see how."""
        self._is_leaving = True


def log(message: str) -> None:
    """One line to standard error, the keeper's log; a full disk must not end the keeper."""
    with contextlib.suppress(OSError):
        os.write(2, f"{format_instant(SystemClock().now())} keeper {os.getpid()}: {message}\n".encode(errors="replace"))


def lock(state_fd: int) -> int | None:
    """The lock, or None where another keeper already answers. Waits for one that is coming or going."""
    give_up_at = time.monotonic() + _LOCK_WAIT
    while True:
        held = doorway.lock(state_fd)
        if held is not None:
            return held
        other = doorway.connect(state_fd)
        if other:
            other.close()
            return None
        if time.monotonic() > give_up_at:
            raise SystemExit("another keeper holds the lock, but does not answer")
        time.sleep(_LOCK_PAUSE)


def serve(state: str, boot: str, *, sync: bool) -> None:
    state_fd = doorway.open_folder(state)
    os.chdir(HOME)
    take_all_signals()
    held = lock(state_fd)
    if held is None:
        say_ready()
        return
    with contextlib.suppress(FileExistsError):
        os.mkdir("runs", 0o700, dir_fd=state_fd)
    runs_fd = os.open("runs", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=state_fd)
    journal = Journal(runs_fd, boot) if sync else None
    keeper = Keeper(state_fd, Custody(Ledger(runs_fd), journal, boot=boot, clock=SystemClock(), log=log))
    say_ready()
    keeper.run()
    os.close(held)


def say_ready() -> None:
    """Tell the daemon that somebody answers, and let go of the pipe that it listens on."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"ready\n")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.close(null)


def main(arguments: list[str]) -> None:
    state, *options = arguments
    boot = next((one.removeprefix("--boot-id=") for one in options if one.startswith("--boot-id=")), None)
    if os.fork():  # nobody's child, nobody's zombie: init reaps it
        os._exit(0)
    serve(state, boot or read_boot_id(), sync="--no-sync" not in options)


if __name__ == "__main__":
    main(sys.argv[1:])
