"""What befalls CloudWatch's data: late, out of order, in part, or not at all; and alarms that flap."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from controlplane.sandbox.aws import clock
from controlplane.sandbox.aws.fault_desk import RULES
from controlplane.sandbox.aws.series import Store
from controlplane.sandbox.aws.sts import CALLER
from controlplane.sandbox.faults.in_force import InForce
from controlplane.sandbox.faults.kinds import ALARM, DATA
from controlplane.sandbox.faults.rules import Place

FAULTS = "towpath.faults"
"""Where the door leaves a list in the WSGI environment: what befell the data is put into it."""
SERVICE = "cloudwatch"
NOTHING_YET = -1

StoreOf = Callable[[str], Store]


def choose(environ: Mapping[str, Any], operation: str, region: str) -> InForce | None:
    """Answer the fault that hits this reading, None where none does."""
    caller = environ[CALLER]
    if caller.root:
        return None
    hit = RULES.take(DATA, Place(SERVICE, operation, caller.account, region))
    if hit is not None:
        environ[FAULTS].append(hit.rule.fault)
    return hit


def readable(hit: InForce | None, store_of: StoreOf) -> StoreOf:
    """Answer the samples that can be read at this time."""
    end = None if hit is None else _end(hit)
    if end is None:
        return store_of
    return lambda account: store_of(account).until(end)


def for_alarms(account: str, region: str, store_of: StoreOf) -> StoreOf:
    """Answer the samples that alarms see: those that are late for everybody are late for them."""
    place = Place(SERVICE, "", account, region)
    for each in RULES.standing(DATA):
        if not each.rule.operation and each.rule.matches(place) and _end(each) is not None:
            return readable(each, store_of)
    return store_of


def results(hit: InForce | None, answer: dict[str, Any]) -> dict[str, Any]:
    """Answer what is told of GetMetricData's output."""
    if hit is None or hit.rule.fault not in ("out_of_order", "partial"):
        return answer
    change = _shuffled if hit.rule.fault == "out_of_order" else _in_part
    found = [change(hit, result) for result in answer["MetricDataResults"]]
    told = answer["Messages"]
    if hit.rule.fault == "partial":
        told = [{"Code": "InternalError", "Value": "Some of the data could not be retrieved."}]
    return {**answer, "MetricDataResults": found, "Messages": told}


def points(hit: InForce | None, found: Sequence[Any]) -> list[Any]:
    """Answer GetMetricStatistics' points, which have no order of their own."""
    told = list(found)
    if hit is not None and hit.rule.fault == "out_of_order":
        hit.dice.shuffle(told)
    if hit is not None and hit.rule.fault == "partial":
        told = told[: len(told) // 2]
    return told


def flapping(account: str, region: str, alarm: str, state: str) -> str:
    """Answer the state that a flapping alarm has now, "" for one that does not flap."""
    now = clock.real()
    for each in RULES.standing(ALARM):
        if each.rule.options["alarm"] == alarm and each.rule.matches(
            Place(SERVICE, "", account, region)
        ):
            turned = _turn(each, now)
            if turned != state:
                RULES.count(each)
            return turned
    return ""


def _turn(each: InForce, now: datetime) -> str:
    age = (now - each.since).total_seconds() - each.rule.begins
    return "OK" if int(age / float(each.rule.options["seconds"])) % 2 else "ALARM"


def _end(hit: InForce) -> int | None:
    """Answer the time from which samples cannot be read yet."""
    if hit.rule.fault == "none":
        return NOTHING_YET
    if hit.rule.fault == "late":
        return int(clock.now().timestamp() - float(hit.rule.options["seconds"])) + 1
    return None


def _shuffled(hit: InForce, result: dict[str, Any]) -> dict[str, Any]:
    pairs = list(zip(result["Timestamps"], result["Values"], strict=True))
    hit.dice.shuffle(pairs)
    return _with(result, pairs, result["StatusCode"])


def _in_part(hit: InForce, result: dict[str, Any]) -> dict[str, Any]:
    status = str(hit.rule.options["status"])
    pairs = list(zip(result["Timestamps"], result["Values"], strict=True))
    known = sorted(at for at, _ in pairs)[: len(pairs) // 2] if status == "PartialData" else []
    return _with(result, [pair for pair in pairs if pair[0] in known], status)


def _with(result: dict[str, Any], pairs: Sequence[tuple[Any, Any]], status: str) -> dict[str, Any]:
    stamps, values = [at for at, _ in pairs], [value for _, value in pairs]
    return {**result, "Timestamps": stamps, "Values": values, "StatusCode": status}
