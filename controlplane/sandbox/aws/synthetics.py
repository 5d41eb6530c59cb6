"""CloudWatch Synthetics: canaries that really run, on their schedule, while they are RUNNING."""

from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult, BaseResponse
from moto.synthetics import models, urls

from controlplane.sandbox.aws import canary_runs, clock, control, hooks, on_tick
from controlplane.sandbox.aws.canary import Canary, seconds_of
from controlplane.sandbox.aws.control import ControlError, Order
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.paging import page

PATHS = (
    "{0}/canary/(?P<name>[^/]+)/start$",
    "{0}/canary/(?P<name>[^/]+)/stop$",
    "{0}/canary/(?P<name>[^/]+)/runs$",
    "{0}/canaries/last-run$",
)
MOST_RUNS = 100
MOST_CANARIES = 20


class Backend(BaseBackend):  # type: ignore[misc]  # moto ships no types
    """Synthetics of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.canaries: dict[str, Canary] = {}

    def canary(self, name: str) -> Canary:
        """Answer a canary. Raises Fault where there is none."""
        if name not in self.canaries:
            raise Fault("ResourceNotFoundException", f"Canary {name} was not found.")
        return self.canaries[name]

    def arn(self, name: str) -> str:
        """Answer a canary's ARN."""
        return f"arn:aws:synthetics:{self.region_name}:{self.account_id}:canary:{name}"

    def step(self) -> None:
        """Start every run that is due."""
        for canary in list(self.canaries.values()):
            if canary.take_turn(clock.now()):
                canary_runs.launch(canary, self.account_id, self.region_name)


class Response(BaseResponse):  # type: ignore[misc]  # moto ships no types
    """Synthetics' operations on canaries; groups, dry runs and replicas are refused."""

    def __init__(self) -> None:
        super().__init__(service_name="synthetics")
        self.automated_parameter_parsing = True

    @property
    def _backend(self) -> Backend:
        backend: Backend = models.synthetics_backends[self.current_account][self.region]
        return backend

    def _canary(self) -> Canary:
        return self._backend.canary(self._get_param("Name"))

    def create_canary(self) -> ActionResult:
        given = {name: value for name, value in dict(self._get_params()).items() if value}
        _check_schedule(given)
        if given["Name"] in self._backend.canaries:
            raise Fault("ValidationException", f"Canary name already exists: {given['Name']}")
        canary = Canary(given, clock.now())
        self._backend.canaries[canary.name] = canary
        return ActionResult({"Canary": canary.describe(self._backend.arn(canary.name))})

    def get_canary(self) -> ActionResult:
        canary = self._canary()
        return ActionResult({"Canary": canary.describe(self._backend.arn(canary.name))})

    def update_canary(self) -> ActionResult:
        given = dict(self._get_params())
        if given.get("Schedule"):
            _check_schedule(given)
        self._canary().change(given, clock.now())
        return ActionResult({})

    def delete_canary(self) -> ActionResult:
        canary = self._canary()
        if canary.state == "RUNNING":
            raise Fault("ConflictException", f"Canary {canary.name} is in state RUNNING: stop it.")
        del self._backend.canaries[canary.name]
        return ActionResult({})

    def start_canary(self) -> ActionResult:
        canary = self._canary()
        if canary.state == "RUNNING":
            raise Fault("ConflictException", f"Canary {canary.name} is in state RUNNING.")
        canary.start(clock.now())
        return ActionResult({})

    def stop_canary(self) -> ActionResult:
        canary = self._canary()
        if canary.state != "RUNNING":
            raise Fault("ConflictException", f"Canary {canary.name} is in state {canary.state}.")
        canary.stop(clock.now())
        return ActionResult({})

    def get_canary_runs(self) -> ActionResult:
        if self._get_param("DryRunId") or self._get_param("RunType") == "DRY_RUN":
            raise NotImplementedError("The sandbox's Synthetics has no dry runs.")
        return self._page("CanaryRuns", list(self._canary().runs), MOST_RUNS)

    def describe_canaries(self) -> ActionResult:
        shown = [canary.describe(self._backend.arn(canary.name)) for canary in self._named()]
        return self._page("Canaries", shown, MOST_CANARIES)

    def describe_canaries_last_run(self) -> ActionResult:
        last = [{"CanaryName": c.name, "LastRun": c.runs[0]} for c in self._named() if c.runs]
        return self._page("CanariesLastRun", last, MOST_RUNS)

    def _named(self) -> list[Canary]:
        names = self._get_param("Names")
        known = self._backend.canaries.values()
        return sorted((c for c in known if not names or c.name in names), key=lambda c: c.name)

    def _page(self, member: str, items: list[Any], most: int) -> ActionResult:
        asked = min(int(self._get_param("MaxResults") or most), most)
        part, token = page(items, asked, self._get_param("NextToken"), "ValidationException")
        return ActionResult({member: part, "NextToken": token})


def _check_schedule(given: dict[str, Any]) -> None:
    expression = given["Schedule"]["Expression"]
    if seconds_of(expression) is None:
        raise Fault("ValidationException", f"The sandbox knows only rate(...), not {expression}")


def set_interval(account: str, region: str, name: str, seconds: float | None) -> None:
    """Let a canary run every so many seconds, whatever its schedule says; None ends that."""
    canary = models.synthetics_backends[account][region].canary(name)
    canary.interval = seconds
    if canary.state == "RUNNING":
        canary.due = clock.now()


def step() -> None:
    """Start the runs that are due in all accounts."""
    for backend in hooks.every(models.synthetics_backends):
        backend.step()


def _interval(order: Order) -> Any:
    seconds = order.body.get("seconds")
    if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds <= 86400):  # noqa: PLR2004 a day
        raise ControlError("seconds must be a number over 0 and at most 86400, or null.")
    try:
        set_interval(order.text("account"), order.text("region"), order.text("canary"), seconds)
    except Fault as fault:
        raise ControlError(fault.message) from None
    return {"canary": order.text("canary"), "seconds": seconds}


def install() -> None:
    """Put this Synthetics in moto's place."""
    hooks.swap(models.synthetics_backends, Backend, urls, Response, PATHS)
    control.route("/_sandbox/synthetics/interval", _interval)
    on_tick(step)
