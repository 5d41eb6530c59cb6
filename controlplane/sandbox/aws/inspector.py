"""Amazon Inspector: findings and coverage that were put in, filtered and paged as asked."""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.inspector2 import models, responses, urls

from controlplane.sandbox.aws import control, hooks
from controlplane.sandbox.aws.control import ControlError, Order
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.inspector_filters import (
    COVERAGE,
    FINDINGS,
    UnknownCriterionError,
    matching,
)
from controlplane.sandbox.aws.paging import page

PATHS = (
    "{0}/coverage/list$",
    "{0}/coverage/statistics/list$",
    "{0}/findings/details/batch/get$",
)
MOST_FINDINGS = 100
MOST_COVERED = 200
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED")
TYPES = ("EC2", "ECR", "LAMBDA", "LAMBDA_CODE")


class Backend(models.Inspector2Backend):  # type: ignore[misc]  # moto ships no types
    """Inspector of one account and region: findings by ARN, coverage by resource."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.found: dict[str, Mapping[str, Any]] = {}
        self.covered: dict[tuple[str, str], Mapping[str, Any]] = {}


class Response(responses.Inspector2Response):  # type: ignore[misc]  # moto ships no types
    """The operations whose answers are ours; filters and members stay moto's."""

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @property
    def _backend(self) -> Backend:
        backend: Backend = self.inspector2_backend
        return backend

    def enable(self) -> ActionResult:
        return self._toggle("enable")

    def disable(self) -> ActionResult:
        return self._toggle("disable")

    def _toggle(self, verb: str) -> ActionResult:
        accounts = self._get_param("accountIds") or [self.current_account]
        types = self._get_param("resourceTypes") or list(TYPES)
        changed = getattr(self._backend, verb)(accounts, types)
        return ActionResult({"accounts": changed, "failedAccounts": []})

    def batch_get_account_status(self) -> ActionResult:
        accounts = self._get_param("accountIds") or [self.current_account]
        known = self._backend.account_status
        status = [known.get(each) or models.AccountStatus(each) for each in accounts]
        states = [_explained(each.to_batch_json()) for each in status]
        return ActionResult({"accounts": states, "failedAccounts": []})

    def list_findings(self) -> ActionResult:
        items = list(self._backend.found.values())
        found = self._matching(items, FINDINGS)
        found.sort(**_order(self._get_param("sortCriteria") or {}))
        return self._page("findings", found, MOST_FINDINGS)

    def batch_get_finding_details(self) -> ActionResult:
        arns = self._get_param("findingArns") or []
        known = self._backend.found
        details = [_details(known[arn]) for arn in arns if arn in known]
        errors = [
            {
                "findingArn": arn,
                "errorCode": "FINDING_DETAILS_NOT_FOUND",
                "errorMessage": "There is no such finding.",
            }
            for arn in arns
            if arn not in known
        ]
        return ActionResult({"findingDetails": details, "errors": errors})

    def list_coverage(self) -> ActionResult:
        items = list(self._backend.covered.values())
        return self._page("coveredResources", self._matching(items, COVERAGE), MOST_COVERED)

    def list_coverage_statistics(self) -> ActionResult:
        if self._get_param("groupBy"):
            raise NotImplementedError("Coverage is counted, but not by groups.")
        items = self._matching(list(self._backend.covered.values()), COVERAGE)
        return ActionResult({"totalCounts": len(items)})

    def _matching(self, items: list[Any], table: Mapping[str, Any]) -> list[Any]:
        try:
            return list(matching(items, self._get_param("filterCriteria"), table))
        except UnknownCriterionError as error:
            raise Fault("ValidationException", str(error)) from None

    def _page(self, member: str, items: list[Any], most: int) -> ActionResult:
        asked = min(int(self._get_param("maxResults") or most), most)
        part, token = page(items, asked, self._get_param("nextToken"), "ValidationException")
        return ActionResult({member: part, "nextToken": token})


def _explained(state: dict[str, Any]) -> dict[str, Any]:
    """Give every state the error members that AWS's shape requires; empty ones mean none."""
    none = {"errorCode": "ALREADY_ENABLED", "errorMessage": ""}
    inner = {name: none | each for name, each in state["resourceState"].items()}
    return {**state, "resourceState": inner, "state": none | state["state"]}


def _order(criteria: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        "SEVERITY": lambda f: SEVERITIES.index(f["severity"]),
        "FIRST_OBSERVED_AT": lambda f: str(f["firstObservedAt"]),
        "LAST_OBSERVED_AT": lambda f: str(f["lastObservedAt"]),
        "INSPECTOR_SCORE": lambda f: float(f.get("inspectorScore") or 0),
    }
    name = criteria.get("field")
    if name is not None and name not in fields:
        raise Fault("ValidationException", f"The sandbox's Inspector does not sort by {name}.")
    key = fields[name] if name else lambda f: str(f["findingArn"])
    return {"key": key, "reverse": criteria.get("sortOrder") == "DESC"}


def _details(finding: Mapping[str, Any]) -> dict[str, Any]:
    package = finding.get("packageVulnerabilityDetails") or {}
    return {
        "findingArn": finding["findingArn"],
        "referenceUrls": package.get("referenceUrls") or [],
        "epssScore": (finding.get("epss") or {}).get("score"),
    }


# --- What the sandbox is told -------------------------------------------------------------------


def put_findings(account: str, region: str, findings: Iterable[Mapping[str, Any]]) -> int:
    """Put findings in (botocore's Finding shape); one of the same ARN is replaced."""
    backend = models.inspector2_backends[account][region]
    given = {str(each["findingArn"]): dict(each) | {"awsAccountId": account} for each in findings}
    backend.found.update(given)
    return len(given)


def remove_findings(account: str, region: str) -> None:
    """Take all findings of an account and region away."""
    models.inspector2_backends[account][region].found.clear()


def put_coverage(account: str, region: str, resources: Iterable[Mapping[str, Any]]) -> int:
    """Put covered resources in (botocore's CoveredResource shape), by resourceId and scanType."""
    backend = models.inspector2_backends[account][region]
    given = {
        (str(each["resourceId"]), str(each["scanType"])): dict(each) | {"accountId": account}
        for each in resources
    }
    backend.covered.update(given)
    return len(given)


def _listed(order: Order, name: str, required: tuple[str, ...]) -> list[Mapping[str, Any]]:
    items = order.body.get(name)
    whole = isinstance(items, list) and all(
        isinstance(item, dict) and all(key in item for key in required) for item in items
    )
    if not whole or items is None:
        raise ControlError(f"{name} must be a list of objects with {', '.join(required)}.")
    return list(items)


REQUIRED_OF_FINDING = (
    "findingArn",
    "type",
    "description",
    "remediation",
    "severity",
    "firstObservedAt",
    "lastObservedAt",
    "status",
    "resources",
)


def _findings(order: Order) -> Any:
    account, region = order.text("account"), order.text("region")
    items = _listed(order, "findings", REQUIRED_OF_FINDING)
    if order.body.get("replace"):
        remove_findings(account, region)
    return {"put": put_findings(account, region, items)}


def _coverage(order: Order) -> Any:
    items = _listed(order, "coverage", ("resourceId", "resourceType", "scanType"))
    return {"put": put_coverage(order.text("account"), order.text("region"), items)}


def install() -> None:
    """Put this Inspector in moto's place."""
    hooks.swap(models.inspector2_backends, Backend, urls, Response, PATHS)
    control.route("/_sandbox/inspector/findings", _findings)
    control.route("/_sandbox/inspector/coverage", _coverage)
