"""How the builds of a project go: told through the control API, kept by project.

POST /_sandbox/builds {"account", "region", "project", "seconds": 1, "fails": "BUILD", "message", "exports":
{name: value}, "skips": ["App"]}. fails: the phase in which they fail, or a bad state such as FAULT; absent
where they do well. exports: values of exported variables that no environment gives. skips: outputs that are
not made.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.sandbox.aws.control import ControlError, Order

PHASES = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)
"""https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html"""
STATES = ("FAULT", "TIMED_OUT", "STOPPED")
MESSAGE = "Error while executing command: make. Reason: exit status 2"


@dataclass(frozen=True, slots=True)
class Course:
    """How a build goes. fails: a phase, or another bad end; "" where it does well."""

    seconds: float = 1.0
    fails: str = ""
    message: str = MESSAGE
    exports: Mapping[str, str] = field(default_factory=dict)
    skips: tuple[str, ...] = ()


Key = tuple[str, str, str]
"""Account, region, project."""

_lock = threading.Lock()
_told: dict[Key, Course] = {}


def course_of(key: Key) -> Course:
    """How the builds of a project go, from now on."""
    with _lock:
        return _told.get(key, Course())


def tell(key: Key, course: Course) -> None:
    """Let the builds of a project that begin from now on go so."""
    with _lock:
        _told[key] = course


def forget() -> None:
    """Let all builds do well."""
    with _lock:
        _told.clear()


def answer(order: Order) -> Any:
    """Take an order of the control API."""
    given = order.body
    seconds, fails = given.get("seconds", 1.0), given.get("fails") or ""
    exports, skips = given.get("exports") or {}, given.get("skips") or []
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise ControlError("seconds must be a number from 0 up.")
    if fails not in ("", *PHASES, *STATES):
        raise ControlError(f"fails must be one of {', '.join((*PHASES, *STATES))}, or absent.")
    if not isinstance(exports, dict) or not isinstance(skips, list):
        raise ControlError("exports must be an object, and skips a list.")
    key = (order.text("account"), order.text("region"), order.text("project"))
    message = str(given.get("message") or MESSAGE)
    told = {str(name): str(value) for name, value in exports.items()}
    tell(key, Course(float(seconds), fails, message, told, tuple(map(str, skips))))
    return {"project": key[2]}
