"""What a host in a network namespace of its own has for a network: a port of its loopback that leads to a server's
socket. The lines `down` and `up` on standard input do that to the loopback; each is answered when it is done.

A script by itself, run in the namespace: `python -I relay.py SOCKET`. Its first answer is the port.
"""

import asyncio
import subprocess
import sys
from contextlib import suppress


async def relay(path: str) -> None:
    set_loopback("up")

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            raise
        await asyncio.gather(carry(reader, back), carry(there, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    answer(server.sockets[0].getsockname()[1])
    while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
        set_loopback(word)
        answer(word)


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # that one side is gone is what the other is told by the end
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


def set_loopback(word: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", word], check=True)


def answer(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1]))
