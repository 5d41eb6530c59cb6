"""A release that was rolled back for its latency, in a house with scripted vendors; and why, as told."""

from typing import Any

from controlplane.api.documents import Documents
from controlplane.sandbox.scripted import measuring, source_of
from monitors.base import Verdict
from tests.support.house import BAD, House, deploying, pipeline, source

BEFORE, AFTER = (210.0, 220.0, 215.0), (230.0, 700.0, 812.0)


def rolled_back(house: House) -> str:
    """Release 1 is good; release 2 slows down in Prod and comes back. The bad execution."""
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CloudWatchAlarm"].default = measuring(BEFORE, AFTER, Verdict.FAIL)
    bad = house.start()
    house.wait(60)
    return bad


def why(house: House, execution: str) -> dict[str, Any]:
    """The explanation of an execution."""
    with house.database.read() as connection:
        return Documents(house.structures).explanation(connection, execution)
