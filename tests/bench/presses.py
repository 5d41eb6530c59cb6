"""How soon a press in Slack is acknowledged while many press: 50 a second, stored first, a worker beside it.

Server, worker, Slack and those who press are all in this one process: what they take is part of the figure.
Alone: `python -m tests.bench --only presses`.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx

from controlplane.sandbox.slack_signing import signed
from tests.bench.parts import Run, folder
from tests.bench.table import Line
from tests.support.chat import PATH, Chat
from tests.support.doors import SLACK_SECRET, served

RATE, SECONDS = 50, 10.0
"""Presses a second, and for how long: whoever presses waits for nobody else's answer."""
PATIENCE = 120.0
"""Seconds for the worker to do all of them; Slack takes far longer for that than we do."""


def lines(run: Run) -> list[Line]:
    """Of one approval that everybody wants to decide: each press opens a window."""
    found: list[float] = []
    drained: list[float] = []
    for _ in range(run.rounds):
        waited, after = _round()
        found += waited
        drained.append(after)
    ranked = sorted(found)
    p99 = ranked[int(len(ranked) * 0.99)]
    here = f"{_ms(statistics.median(ranked))} / {_ms(p99)} / {_ms(ranked[-1])}"
    return [
        Line(
            f"Slack: a press is acknowledged, {RATE} a second, p50 / p99 / last",
            here,
            "p99 ≤ 500 ms",
        ),
        Line(
            "Slack: the last of them is done, after it came", f"{statistics.median(drained):.1f} s"
        ),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _round() -> tuple[list[float], float]:
    """Seconds until each press was acknowledged; and until all were done, after the last one came."""
    with folder() as place:
        chat = Chat(place, durable=True)
        chat.asks()
        worker = threading.Thread(target=chat.inbox.run)
        worker.start()
        try:
            with served(chat.doors.app) as url:
                waited = asyncio.run(_press_all(url, chat))
                began = time.perf_counter()
                _wait_until_done(chat, len(waited))
                return waited, time.perf_counter() - began
        finally:
            chat.inbox.stop()
            worker.join()
            chat.fake.stop()
            chat.house.database.close()


async def _press_all(url: str, chat: Chat) -> list[float]:
    bodies = [_one(chat, number) for number in range(int(RATE * SECONDS))]
    limits = httpx.Limits(
        max_connections=None,
        max_keepalive_connections=RATE,
        keepalive_expiry=1.0,  # before the server ends what is idle, after 5 s: a press would meet that
    )
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:
        began = time.perf_counter() + 0.1
        tasks = [
            asyncio.create_task(_press(client, began + number / RATE, *body))
            for number, body in enumerate(bodies)
        ]
        return list(await asyncio.gather(*tasks))


def _one(chat: Chat, number: int) -> tuple[dict[str, str], bytes]:
    """A press of its own: another moment, another trigger, and so another window."""
    pressed = chat.pressed("approve")
    [action] = pressed["actions"]
    _, body = chat.fake.sign({**pressed, "actions": [{**action, "action_ts": f"{number + 1}.5"}]})
    return signed(body, chat.house.clock(), SLACK_SECRET), body


async def _press(
    client: httpx.AsyncClient, due: float, headers: dict[str, str], body: bytes
) -> float:
    """Seconds from when it was due: a server that is late makes nobody press later."""
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    answer = await client.post(PATH, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - due


def _wait_until_done(chat: Chat, most: int) -> None:
    deadline = time.perf_counter() + PATIENCE
    while _left(chat) and time.perf_counter() < deadline:
        time.sleep(0.05)  # noqa: TID251 - a bench waits for the machine's own time
    left = _left(chat)
    assert not left, f"{left} of {most} presses are not done"


def _left(chat: Chat) -> int:
    with chat.house.database.read() as connection:
        found: Sequence[Any] = connection.exec_driver_sql(
            "SELECT count(*) FROM slack_inbox WHERE due_at IS NOT NULL"
        ).one()
    return int(found[0])
