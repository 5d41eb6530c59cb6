"""A real browser in front of the console, and an installation that has something of everything to show.

Playwright's loop runs in the test's thread: `asyncio.run`, and so the in-process clients of `Doors`, do not
work beside it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from controlplane.api.incident_bodies import AlertmanagerBody
from controlplane.declarations.load import parse_text
from controlplane.engine.commands import Commands
from controlplane.engine.gate_commands import Scope
from controlplane.engine.structures import Structures
from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.server import create_app
from controlplane.store.database import Database
from monitors.base import Outcome, Verdict
from tests.support.doors import Doors, asks_a_person
from tests.support.explained import rolled_back
from tests.support.house import ANNE, action, deploying, gated, pipeline, rule, source
from tests.support.waved import waved

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 740}
PATIENCE = 20_000
"""Milliseconds that anything may take on a busy machine: a bound, not a promise."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {"runOnly": {"type": "tag", "values": list(RULES)}, "resultTypes": ["violations"]}


@dataclass
class Visit:
    """A page of somebody, and what went wrong in it: scripts that failed, and what the policy forbade."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.faults.append(message.text)

    def go(self, path: str) -> Page:
        """Open a page of the console."""
        self.page.goto(f"{self.url}/console{path}")
        return self.page

    def violations(self) -> str:
        """What axe finds, told so that one finds it too; "" where there is nothing."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        found = self.page.evaluate("options => axe.run(options)", OPTIONS)["violations"]
        return "\n".join(
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:4]]}"
            for one in found
        )


Visiting = Callable[..., Visit]


@contextmanager
def launched() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, url: str, token: str = "", **more: Any) -> Iterator[Visit]:
    """Somebody's browser, signed in where a token is given; more: how Playwright makes its context."""
    settings = {"viewport": DESKTOP, "reduced_motion": "reduce", "locale": "en-GB", **more}
    with browser.new_context(**settings) as context:
        context.set_default_timeout(PATIENCE)
        if token:
            answer = context.request.post(
                f"{url}/console/login", form={"token": token}, max_redirects=0
            )
            assert answer.status == 303, answer.text()
        yield Visit(context.new_page(), url)


def another_replica(doors: Doors) -> FastAPI:
    """The application as another process would have it: only the database is the same."""
    house, structures = doors.house, Structures()
    database = Database(house.database.engine.url.render_as_string(), house._now)
    commands = Commands(database, structures, house._now)
    parts = replace(doors.parts(), database=database, structures=structures, commands=commands)
    return create_app(parts)


# --- Something of everything ---------------------------------------------------------------------


def asking(doors: Doors, name: str = "asks") -> str:
    """A pipeline whose execution waits for a person; the execution's id."""
    gate = {"name": "Gate", "actions": [action("Ask", "Manual", configuration=NOTE)]}
    asks_a_person(doors.house)
    doors.house.apply(pipeline(source(), gate, deploying("Prod"), name=name))
    return doors.house.start(name)


NOTE = {"CustomData": "Look at the load test first.", "ExternalEntityLink": "https://ci.example/7"}


def everything(doors: Doors) -> str:
    """An installation with something of everything; the id of an execution that was rolled back."""
    house = doors.house
    bad = rolled_back(house)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    house.drivers["S3"].default = source_of("sha256:" + "c" * 64)
    house.apply(
        pipeline(source(), deploying("Test", ExtendUpTo="5s"), deploying("Prod"), name="unsure")
    )
    house.start("unsure")
    house.apply(parse_text(waved("waved")))
    house.start("waved")
    house.wait(30)
    house.apply(
        pipeline(source(), {"name": "Build", "actions": [action("Try", "NoOp")]}, name="fails")
    )
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "exit code 3: 2 of 811 tests failed")
    house.start("fails")
    asking(doors)
    closed = rule("Freeze", "Freeze", "Custom")
    house.apply(pipeline(source(), gated(deploying("Prod"), closed), name="gated"))
    house.commands.freeze(Scope(pipeline="gated"), ANNE, reason="the sale of the year")
    house.start("gated")
    tell_of_an_incident(doors)
    return bad


def tell_of_an_incident(doors: Doors) -> None:
    """As Alertmanager does."""
    alert = {
        "labels": {"alertname": "CheckoutSlow", "severity": "page"},
        "startsAt": "2026-01-05T08:00:00Z",
    }
    told = AlertmanagerBody.model_validate({"version": "4", "status": "firing", "alerts": [alert]})
    doors.house.commands.take_incidents(told.told(), ANNE)
