"""One look at the database a process, whatever number of pages and clients wait for a change."""

import asyncio
import contextlib
from collections.abc import Callable


class TooManyWaitersError(Exception):
    """So many wait already that one more is refused."""


class Changes:
    """Knows the newest event's id while somebody waits for it; looks at nothing otherwise."""

    def __init__(
        self, newest: Callable[[], int], *, interval: float = 0.25, most: int = 1_000
    ) -> None:
        """newest: asks the database; called in a thread. interval: seconds between two looks."""
        self._newest = newest
        self._interval = interval
        self._most = most
        self._waiting: dict[asyncio.Future[int], int] = {}
        self._poll: asyncio.Task[None] | None = None

    async def after(self, seen: int, seconds: float) -> int:
        """Answer the newest id once it is past `seen`; `seen` where the time passes without."""
        if len(self._waiting) >= self._most:
            raise TooManyWaitersError(f"{self._most} clients wait already")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[future] = seen
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._look_until_nobody_waits())
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return seen
        finally:
            self._waiting.pop(future, None)

    async def _look_until_nobody_waits(self) -> None:
        while self._waiting:
            await self._look()
            await asyncio.sleep(self._interval)

    async def _look(self) -> None:
        try:
            newest = await asyncio.to_thread(self._newest)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            for future in self._waiting:
                with contextlib.suppress(asyncio.InvalidStateError):
                    future.set_exception(error)
            return
        for future, seen in self._waiting.items():
            if newest > seen and not future.done():
                future.set_result(newest)
