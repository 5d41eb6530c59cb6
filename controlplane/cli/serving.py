"""`towpath serve`: the doors and a worker in one process; every replica is the same."""

import logging
import signal
from typing import Any

import uvicorn

from controlplane.api.parts import Parts
from controlplane.doctor import examine
from controlplane.server import create_app, warm
from controlplane.settings import Settings
from controlplane.telemetry import log_to_stderr
from controlplane.wiring import House, build, metrics_of
from controlplane.worker import Worker

log = logging.getLogger(__name__)

GRACE_SECONDS = 5


def run() -> None:
    """Until SIGTERM or SIGINT: then the doors close first, and the worker drains."""
    log_to_stderr()
    with build(Settings()) as house:
        worker = Worker(house)
        app = create_app(parts_of(house, worker))
        config = uvicorn.Config(
            app,
            host=house.settings.host,
            port=house.settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        _outlive_the_signal(server)
        worker.start()
        warm(app)  # the port opens afterwards, so nobody is sent here before
        log.info("Towpath serves on %s:%d", house.settings.host, house.settings.port)
        try:
            server.run()
        finally:
            worker.stop()


def _outlive_the_signal(server: uvicorn.Server) -> None:
    """Uvicorn ends at SIGTERM or SIGINT, then raises the signal again, which would end us undrained."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: setattr(server, "should_exit", True))


def parts_of(house: House, worker: Worker) -> Parts:
    """What the doors are given."""

    def doctor(pipeline: str) -> list[dict[str, Any]]:
        reading = (house.drivers, house.clock())
        return examine(
            house.database, house.structures, house.clients, pipeline, house.settings, reading
        )

    return Parts(
        database=house.database,
        structures=house.structures,
        commands=house.commands,
        drills=house.drills,
        git=house.git,
        intake=house.intake,
        late=house.late,
        settings=house.settings,
        registry=house.registry,
        clock=house.clock,
        health=worker.health,
        degraded=house.health.degraded,
        installation=house.health.findings,
        metrics=metrics_of(house),
        breakers=house.breakers.open,
        doctor=doctor,
        lender=house.lender,
        hooks=house.hooks,
        migration=house.migration,
        iam=house.iam,
        iam_tokens=house.iam_tokens,
        login=house.login,
        builds=house.builds,
    )
