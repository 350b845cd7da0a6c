"""Procrastinate alone, to compare workers with: a task that runs a command and writes down when it was enqueued, when
its process was there and when it had ended.

Usage: python -m bench.bare URL CONCURRENCY FILE: one worker process, until it is told to stop.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import procrastinate
import procrastinate.types

TASK = "command"


def make_app(url: str, file: Path | None = None) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name=TASK, queue="bare")
    async def run(at: float, words: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(*words, start_new_session=True)
        began = time.time()
        await process.wait()
        if file:
            with file.open("a") as out:
                out.write(f"{at} {began} {time.time()}\n")

    return app


async def defer(url: str, words: Sequence[str], number: int, pause: float = 0.0) -> None:
    """So many jobs: in one batch, or one by one with a pause between them."""
    app = make_app(url)
    async with app.open_async():
        task = app.configure_task(TASK, queue="bare")
        if not pause:
            jobs: list[dict[str, procrastinate.types.JSONValue]] = [
                {"at": time.time(), "words": list(words)} for _ in range(number)
            ]
            await task.batch_defer_async(*jobs)
            return
        for _ in range(number):
            await task.defer_async(at=time.time(), words=list(words))
            await asyncio.sleep(pause)


async def work(url: str, concurrency: int, file: Path) -> None:
    app = make_app(url, file)
    async with app.open_async():
        print("ready", flush=True)
        await app.run_worker_async(queues=["bare"], concurrency=concurrency)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
