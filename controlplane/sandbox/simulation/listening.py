"""What the product logs while it is simulated: kept from the terminal, and read for what is lost."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

ROOMS = ("accounts", "monitors", "controlplane")
LOSSES = (
    "its outcome cannot be written",
    "cannot be made a task",
    "raised what it should not",
)
"""Words of the log by which the product says that something is lost or was never meant to be."""
EXPECTED = "raised what it should not"
"""Garbled answers make drivers raise anything: only the engine's own losses are no weather."""
GIVEN_UP = "is given up"


class Ear(logging.Handler):
    """Counts and keeps what matters."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lost: list[str] = []
        self.surprises: list[str] = []
        self.given_up = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the words only."""
        said = record.msg
        if GIVEN_UP in said:
            self.given_up += 1
        if any(words in said for words in LOSSES):
            text = record.getMessage()
            error = record.exc_info[1] if record.exc_info else None
            told = f"{text}: {type(error).__name__}: {error}" if error else text
            (self.surprises if EXPECTED in said else self.lost).append(told)

    def take_lost(self) -> list[str]:
        """What was lost since the last time."""
        taken, self.lost = self.lost, []
        return taken


@contextmanager
def listening() -> Iterator[Ear]:
    """Listen to every room, and let nothing through to the terminal."""
    ear = Ear()
    loggers = [logging.getLogger(room) for room in ROOMS]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(ear)
        logger.propagate = False
    try:
        yield ear
    finally:
        for logger, propagates in zip(loggers, before, strict=True):
            logger.removeHandler(ear)
            logger.propagate = propagates
