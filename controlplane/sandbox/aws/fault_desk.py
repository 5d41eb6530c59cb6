"""/_sandbox/faults: where faults are ordered, listed and taken back.

GET: {"seed", "rules": [each with its id, how often it matched and hit], "faults": what there is}.
POST {"rules": [...], "seed"?}: adds; a single rule may stand alone. PUT: the same, in place of all.
DELETE: takes back all, or ?id=n; who hangs by them is let go.
The accounts' root callers, who seed the sandbox and say what is true of it, are never befallen.
"""

from typing import Any

from moto.core.utils import get_service_model

from controlplane.sandbox.aws import clock, control
from controlplane.sandbox.aws.control import ControlError, Order
from controlplane.sandbox.faults.in_force import RulesInForce
from controlplane.sandbox.faults.kinds import CALL, DATA, KINDS
from controlplane.sandbox.faults.rules import Rule, RuleError, read

RULES = RulesInForce(clock.real)
clock.shift_by(RULES.clock_offset)


def _answer(order: Order) -> Any:
    if order.method in ("POST", "PUT"):
        rules, seed = _read(order)
        if order.method == "PUT":
            RULES.clear()
        RULES.add(rules, seed)
    elif order.method == "DELETE":
        return {"deleted": _delete(order)}
    elif order.method != "GET":
        raise ControlError(f"{order.method} is none of GET, POST, PUT, DELETE.")
    faults = {name: {"befalls": kind.befalls, "says": kind.says} for name, kind in KINDS.items()}
    return {**RULES.document(), "faults": faults}


def _read(order: Order) -> tuple[list[Rule], int | None]:
    """Read the whole order before any of it is in force."""
    body = order.body
    alone = "fault" in body
    if not alone and (unknown := sorted(set(body) - {"rules", "seed"})):
        raise ControlError(f"{unknown[0]!r} is no field: give rules and seed, or one rule.")
    given = [body] if alone else body.get("rules", [])
    seed = None if alone else body.get("seed")
    if not isinstance(given, list):
        raise ControlError("rules is no list: give a list of rules.")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise ControlError("seed is no whole number: give one, or leave it out to keep it.")
    return [_rule(each, number, alone=alone) for number, each in enumerate(given)], seed


def _rule(given: Any, number: int, *, alone: bool) -> Rule:
    try:
        rule = read(given)
        _is_known(rule)
    except RuleError as error:
        raise ControlError(str(error) if alone else f"rules[{number}]: {error}") from None
    return rule


def _is_known(rule: Rule) -> None:
    """Refuse a service or operation that does not exist: such a rule would never hit."""
    if rule.befalls not in (CALL, DATA):
        return
    if not rule.service:
        if rule.operation and rule.befalls == CALL:
            raise RuleError(f"operation is {rule.operation!r}: say of which service.")
        return
    try:
        operations = get_service_model(rule.service).operation_names
    except Exception:  # noqa: BLE001 botocore's loader has many
        raise RuleError(f"service {rule.service!r} is unknown: give boto3's name of it.") from None
    if rule.operation and rule.operation not in operations:
        raise RuleError(f"{rule.service} has no operation {rule.operation!r}: see its API.")


def _delete(order: Order) -> int:
    wanted = order.query.get("id", "")
    if wanted and not wanted.isdecimal():
        raise ControlError("id is no number: give that of a rule, or none for all of them.")
    return RULES.clear(int(wanted) if wanted else None)


control.route("/_sandbox/faults", _answer)
