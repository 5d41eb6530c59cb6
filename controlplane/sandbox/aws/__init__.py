"""The embedded AWS: moto, extended from outside where its answers are not AWS's.

`install()` puts our classes in moto's place before the first request; `tick()` is one step of the
simulation (alarms, canaries, and what other parts add by `on_tick`). Importing this package imports
no moto; `install` does, and moto itself loads a service at its first request.
"""

import logging
from collections.abc import Callable
from importlib import import_module
from threading import RLock

OVERLAYS = (
    "buckets",
    "sts",
    "outbound",
    "cloudwatch",
    "synthetics",
    "inspector",
    "functions",
    "stacks",
    "codecommit",
    "crossaccount",
)
"""Modules of this package with an `install()`, in the order in which they are put in place."""

_log = logging.getLogger(__name__)
_lock = RLock()
_installed: list[bool] = []
_services: list[Callable[[], None]] = []
_steps: list[Callable[[], None]] = []


def install() -> None:
    """Swap our classes and URL tables in. Harmless when done already."""
    with _lock:
        if _installed:
            return
        for name in OVERLAYS:
            import_module(f"{__name__}.{name}").install()
        for service in _services:
            service()
        _installed.append(True)


def register(service: Callable[[], None]) -> None:
    """Add one more overlay: a callable that swaps its classes in, called once.

    It must come before the service's first request: moto reads its tables then.
    """
    with _lock:
        if service in _services:
            return
        _services.append(service)
        if _installed:
            service()


def on_tick(step: Callable[[], None]) -> None:
    """Add a step to every tick; the same callable is added once."""
    with _lock:
        if step not in _steps:
            _steps.append(step)


def tick() -> None:
    """Take one step of the simulation. One step that fails does not stop the others."""
    for step in tuple(_steps):
        try:
            step()
        except Exception:  # noqa: BLE001 it is logged, and the world goes on
            _log.exception("a step of the sandbox failed")
