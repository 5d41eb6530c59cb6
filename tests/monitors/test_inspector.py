import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.clock import ManualClock
from monitors.base import Artifact, MonitorError, Outcome, Task
from monitors.checks.inspector import InspectorFindings
from monitors.checks.inspector_evidence import new_findings
from monitors.checks.inspector_gate import SEVERITIES, gate, kind, sort, told
from tests.support.clients import StubClients
from tests.support.scripted import scripted
from tests.support.watched import NOW, at, recorded, task

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=400)
INSTANCE = "i-0123456789abcdef0"
OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")
REPOSITORY = "arn:aws:ecr:eu-west-1:444444444444:repository/shop"
RULE = {"ResourceType": "AWS_EC2_INSTANCE", "ResourceIds": INSTANCE}
IMAGE = {"ResourceType": "AWS_ECR_CONTAINER_IMAGE", "ResourceIds": f"{REPOSITORY}/{NEW}"}


def finding(
    name: str = "CVE-2026-1", severity: str = "HIGH", seen: float = 0, **more: Any
) -> dict[str, Any]:
    package = {"vulnerabilityId": name, "source": "NVD", "vulnerablePackages": []}
    return {
        "findingArn": f"arn:aws:inspector2:eu-west-1:444444444444:finding/{name}",
        "awsAccountId": "4" * 12,
        "type": "PACKAGE_VULNERABILITY",
        "description": "made up",
        "remediation": {},
        "severity": severity,
        "status": "ACTIVE",
        "firstObservedAt": at(seen),
        "lastObservedAt": at(seen),
        "resources": [{"type": "AWS_EC2_INSTANCE", "id": INSTANCE}],
        "packageVulnerabilityDetails": package,
        **more,
    }


def covered(
    name: str = INSTANCE, reason: str = "SUCCESSFUL", scanned: float = -1
) -> dict[str, Any]:
    return {
        "resourceType": "AWS_EC2_INSTANCE",
        "resourceId": name,
        "accountId": "4" * 12,
        "scanType": "PACKAGE",
        "scanStatus": {"statusCode": "ACTIVE", "reason": reason},
        "lastScannedAt": at(scanned),
    }


class World:
    """What Inspector covers and found. It filters by image hash alone."""

    def __init__(self, *findings: dict[str, Any], rows: Any = None, page: int = 100) -> None:
        self.findings, self.page, self.clock = findings, page, ManualClock()
        self.rows = [covered()] if rows is None else rows
        self.asked: list[dict[str, Any]] = []
        client = scripted("inspector2", list_coverage=self.coverage, list_findings=self.list)
        self.driver = InspectorFindings(StubClients(inspector2=client), self.clock)

    def coverage(self, asked: dict[str, Any]) -> Any:
        self.asked.append(asked)
        return {"coveredResources": self.rows}

    def list(self, asked: dict[str, Any]) -> Any:
        self.asked.append(asked)
        wanted = [one["value"] for one in asked["filterCriteria"].get("ecrImageHash", ())]
        found = [one for one in self.findings if not wanted or _image(one) in wanted]
        first = int(asked.get("nextToken", 0))
        more = first + self.page < len(found)
        token = {"nextToken": str(first + self.page)} if more else {}
        return {"findings": found[first : first + self.page], **token}

    def look(self, one: Task | None = None, **more: str) -> Any:
        return self.driver.look([one or task({**RULE, **more})])["t1"]


def _image(found: dict[str, Any]) -> str:
    return str(found["resources"][0]["id"]).rpartition("/")[2]


def of_image(name: str, digest: str) -> dict[str, Any]:
    image = {"type": "AWS_ECR_CONTAINER_IMAGE", "id": f"{REPOSITORY}/{digest}"}
    return finding(name, resources=[image])


def test_a_scanned_resource_without_findings_passes_and_says_when_it_was_scanned() -> None:
    found = World().look()
    assert found.outcome is Outcome.SUCCEEDED
    assert found.summary == "no new findings of HIGH or worse; scanned 2026-01-05 08:59:59"
    assert found.output["CRITICAL"] == "0"


def test_a_new_finding_fails_with_its_evidence() -> None:
    package = {"name": "openssl", "version": "1"}
    details = {"vulnerabilityId": "CVE-7", "source": "NVD", "vulnerablePackages": [package]}
    one = finding(packageVulnerabilityDetails=details, fixAvailable="YES", exploitAvailable="YES")
    found = World(one).look()
    assert found.outcome is Outcome.FAILED
    told = "1 new finding of HIGH or worse: CVE-7 (HIGH, openssl, fix available, exploit known)"
    assert found.summary.startswith(told)
    assert (found.output["HIGH"], found.output["Findings"]) == ("1", "CVE-7")


@pytest.mark.parametrize(
    ("more", "rule", "outcome"),
    [
        ({"severity": "MEDIUM"}, {}, Outcome.SUCCEEDED),
        ({"severity": "MEDIUM"}, {"FailOn": "MEDIUM"}, Outcome.FAILED),
        ({"severity": "CRITICAL"}, {}, Outcome.FAILED),
        ({"severity": "UNTRIAGED"}, {"FailOn": "LOW"}, Outcome.SUCCEEDED),
        ({"severity": "UNTRIAGED"}, {"FailOn": "UNTRIAGED"}, Outcome.FAILED),
        ({"status": "SUPPRESSED"}, {}, Outcome.SUCCEEDED),
        ({"status": "CLOSED"}, {}, Outcome.SUCCEEDED),
        ({"fixAvailable": "NO"}, {"FixAvailable": "true"}, Outcome.SUCCEEDED),
        ({"fixAvailable": "PARTIAL"}, {"FixAvailable": "true"}, Outcome.FAILED),
        ({}, {"Exploit": "true"}, Outcome.SUCCEEDED),
        ({"exploitAvailable": "YES"}, {"Exploit": "true"}, Outcome.FAILED),
        ({"firstObservedAt": at(-121)}, {}, Outcome.SUCCEEDED),
        ({"firstObservedAt": at(-119)}, {}, Outcome.FAILED),
        ({"firstObservedAt": at(-9999)}, {"NewOnly": "false"}, Outcome.FAILED),
    ],
)
def test_which_findings_stop_a_release(
    more: dict[str, Any], rule: dict[str, str], outcome: Outcome
) -> None:
    assert World(finding(**more)).look(task({**RULE, **rule})).outcome is outcome


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "i-0123456789abcdef0 is not covered by Inspector"),
        ([covered(reason="PENDING_INITIAL_SCAN")], "its first scan is still to come"),
        ([covered(reason="UNMANAGED_EC2_INSTANCE")], "SSM does not manage the instance"),
        ([covered(scanned=-121)], "before the deployment"),
        ([covered(name="i-another0000000000")], "is not covered"),
        ([{**covered(), "scanType": "NETWORK"}], "is not covered"),
        (
            [{key: it for key, it in covered().items() if key != "lastScannedAt"}],
            "not been scanned",
        ),
    ],
)
def test_what_was_not_scanned_is_waited_for_and_then_fails(rows: Any, told: str) -> None:
    world = World(rows=rows)
    found = world.look(CoverageTimeout="10m")
    assert found.outcome is Outcome.RUNNING
    assert told in found.summary
    world.clock.advance(600)
    assert world.look(CoverageTimeout="10m").outcome is Outcome.FAILED


def test_a_scan_from_before_the_deployment_is_taken_only_where_that_is_declared() -> None:
    found = World(rows=[covered(scanned=-121)]).look(FreshScan="false")
    assert found.outcome is Outcome.SUCCEEDED
    assert found.summary.endswith("scanned 2026-01-05 08:57:59, before the deployment")


def test_no_findings_are_asked_for_before_the_scan() -> None:
    world = World(rows=[])
    world.look()
    assert len(world.asked) == 1


def test_of_an_image_only_what_the_known_good_image_has_not_counts() -> None:
    row = {**covered(f"{REPOSITORY}/{NEW}", scanned=-9999), "resourceType": IMAGE["ResourceType"]}
    world = World(of_image("CVE-1", OLD), of_image("CVE-1", NEW), rows=[row])
    one = task(IMAGE)
    assert world.look(one).outcome is Outcome.FAILED
    found = world.look(replace(one, known_good=OLD))
    assert found.outcome is Outcome.SUCCEEDED
    assert "were there before" in found.summary


def test_a_finding_of_another_image_excuses_nothing() -> None:
    row = {**covered(f"{REPOSITORY}/{NEW}"), "resourceType": IMAGE["ResourceType"]}
    world = World(of_image("CVE-1", NEW), rows=[row])
    client = scripted(
        "inspector2",
        list_coverage=world.coverage,
        list_findings=lambda _: {"findings": world.findings},  # as one that ignores filters
    )
    world.driver = InspectorFindings(StubClients(inspector2=client), world.clock)
    assert world.look(replace(task(IMAGE), known_good=OLD)).outcome is Outcome.FAILED


def test_the_image_that_is_checked_may_be_the_input_artifact() -> None:
    image = Artifact("image", NEW, "444444444444.dkr.ecr.eu-west-1.amazonaws.com/shop")
    world = World(rows=[])
    found = world.look(replace(task({"ResourceType": IMAGE["ResourceType"]}), inputs=(image,)))
    assert f"{REPOSITORY}/{NEW} is not covered" in found.summary


def test_a_tag_finds_the_instances() -> None:
    world = World(finding())
    one = task({"ResourceType": "AWS_EC2_INSTANCE", "TagKey": "app", "TagValue": "shop"})
    assert world.look(one).outcome is Outcome.FAILED
    tags = [{"comparison": "EQUALS", "key": "app", "value": "shop"}]
    assert world.asked[0]["filterCriteria"]["ec2InstanceTags"] == tags
    assert world.asked[1]["filterCriteria"]["resourceTags"] == tags


def test_a_suppression_hides_a_finding_until_its_last_day_is_over() -> None:
    entry = {"id": "CVE-2026-1", "until": "2026-01-05", "reason": "not reachable"}
    world = World(finding())
    found = world.look(Suppressions=json.dumps([entry]))
    assert found.outcome is Outcome.SUCCEEDED
    assert "1 suppressed" in found.summary
    world.clock.advance(timedelta(days=1).total_seconds())
    found = world.look(Suppressions=json.dumps([entry]))
    assert found.outcome is Outcome.FAILED
    assert "the suppression of CVE-2026-1 expired on 2026-01-05" in found.summary


def test_findings_are_paged() -> None:
    found = World(*(finding(f"CVE-{place}") for place in range(23)), page=10).look()
    assert found.output["HIGH"] == "23"
    assert "and 18 more" in found.summary


def test_more_findings_than_are_read_are_an_error_and_no_pass() -> None:
    world = World(*(finding(f"CVE-{place}", "LOW") for place in range(60)), page=1)
    found = world.look()
    assert isinstance(found, MonitorError)
    assert found.permanent


def test_many_resources_are_asked_about_ten_at_a_time() -> None:
    names = [f"i-{place:017}" for place in range(23)]
    world = World(rows=[covered(name) for name in names])
    assert world.look(ResourceIds=",".join(names)).outcome is Outcome.SUCCEEDED
    ids = [len(asked["filterCriteria"]["resourceId"]) for asked in world.asked]
    assert ids == [10, 10, 3] * 3  # coverage, what stops, and the worst of all


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ResourceIds": ""}, "ResourceIds is missing"),
        ({"ResourceType": "AWS_ECR_REPOSITORY"}, "ResourceType"),
        ({"FailOn": "BAD"}, "FailOn"),
        ({"NewOnly": "yes"}, "NewOnly"),
        ({"Suppressions": '[{"id": "CVE-1"}]'}, "a suppression needs an end"),
        ({"Suppressions": '[{"until": "2026-01-01"}]'}, "needs the id"),
        ({"Suppressions": "{"}, "Suppressions is not JSON"),
        ({"CoverageTimeout": "soon"}, "CoverageTimeout"),
        ({"FreshScan": "no"}, "FreshScan"),
    ],
)
def test_a_wrong_declaration_is_refused_at_the_start(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(MonitorError, match=told) as raised:
        World().driver.start(task({**RULE, **wrong}))
    assert raised.value.permanent


def test_recorded_findings_are_read() -> None:
    folder = "codedeploy/recorded-inspector2"
    findings = recorded(f"{folder}/test_inspector2_finding_query_filter__ListFindings_1.json")
    world = World(*findings["findings"])
    found = world.look(NewOnly="false", FailOn="UNTRIAGED")
    assert found.outcome is Outcome.FAILED
    assert sum(int(found.output[severity]) for severity in SEVERITIES) == len(findings["findings"])


def test_real_findings_of_functions_are_sorted_by_severity() -> None:
    path = "codedeploy/inspector2-real/aws_inspector2_package_vuln_metadata.json"
    findings = recorded(path)["findings"]
    rule = gate({"FailOn": "MEDIUM", "NewOnly": "false"})
    found = sort(rule, findings, frozenset(), None, NOW.date())
    order = [SEVERITIES.index(one["severity"]) for one in found.stopping]
    assert order
    assert order == sorted(order)
    assert kind(found.stopping[0])[0] in told(rule, found)


@given(st.lists(st.sampled_from(SEVERITIES)), st.sampled_from(SEVERITIES))
def test_a_finding_as_bad_as_asked_for_always_stops(severities: list[str], worst: str) -> None:
    findings = [finding(f"CVE-{place}", one) for place, one in enumerate(severities)]
    found = sort(gate({"FailOn": worst}), findings, frozenset(), None, NOW.date())
    stopping = [one for one in severities if SEVERITIES.index(one) <= SEVERITIES.index(worst)]
    assert len(found.stopping) == len(stopping)


def singles(found: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(found.output["NewFindings"])["findings"]
    return rows


def package(
    name: str = "openssl", version: str = "1.1.1k", fixed: str = "1.1.1w"
) -> dict[str, Any]:
    one = {"name": name, "version": version, "fixedInVersion": fixed}
    return {"vulnerabilityId": "CVE-1", "source": "NVD", "vulnerablePackages": [one]}


def test_the_single_findings_that_are_new_are_kept_the_worst_first() -> None:
    world = World(
        finding("CVE-2", "LOW"),
        finding(
            "CVE-1", "CRITICAL", title="CVE-1 - openssl", packageVulnerabilityDetails=package()
        ),
        finding("CVE-3", "CRITICAL", seen=-10_000),  # it was there before
        finding("CVE-4", "HIGH", status="CLOSED"),
    )
    found = world.look(FailOn="HIGH")
    assert [(one["id"], one["stops"]) for one in singles(found)] == [
        ("CVE-1", True),
        ("CVE-2", False),
    ]
    assert singles(found)[0] == {
        "severity": "CRITICAL",
        "id": "CVE-1",
        "title": "CVE-1 - openssl",
        "package": "openssl",
        "version": "1.1.1k",
        "fixed": "1.1.1w",
        "accepted": "",
        "resources": 1,
        "stops": True,
    }


def test_a_scan_that_passes_shows_what_is_new_below_its_limit_and_what_was_accepted() -> None:
    accepted = {"id": "CVE-9", "until": "2026-12-31", "reason": "no way in"}
    unfixed = package("zlib", "1.2", "NotAvailable") | {"vulnerabilityId": "CVE-9"}
    world = World(
        finding("CVE-8", "MEDIUM"), finding("CVE-9", "HIGH", packageVulnerabilityDetails=unfixed)
    )
    found = world.look(Suppressions=json.dumps([accepted]))
    assert found.outcome is Outcome.SUCCEEDED
    high, medium = singles(found)
    assert (high["accepted"], high["fixed"]) == ("until 2026-12-31: no way in", "")
    assert (medium["id"], medium["accepted"]) == ("CVE-8", "")


def test_one_vulnerability_on_many_resources_is_one_line() -> None:
    on = [{"type": "AWS_EC2_INSTANCE", "id": f"i-{n}"} for n in range(2)]
    found = World(*(finding("CVE-1", "LOW", resources=[one]) for one in on)).look()
    assert [one["resources"] for one in singles(found)] == [2]


@given(st.lists(st.tuples(st.sampled_from(SEVERITIES), ANYTHING), max_size=60))
def test_what_is_kept_is_bounded_and_the_rest_is_counted(given: list[tuple[str, str]]) -> None:
    rows = [finding(f"C-{n}", severity, title=text) for n, (severity, text) in enumerate(given)]
    rule = gate({"FailOn": "HIGH"})
    found = sort(rule, rows, frozenset(), None, NOW.date())
    kept = new_findings(rule, found, rows, (frozenset(), None), NOW.date(), whole=True)
    told = json.loads(kept["NewFindings"])
    assert len(told["findings"]) == min(20, len(given))
    assert len(told["findings"]) + told["more"] == len(given)
    ranks = [SEVERITIES.index(one["severity"]) for one in told["findings"]]
    assert ranks == sorted(ranks)
    assert all(len(one["title"]) <= 160 for one in told["findings"])
    assert json.dumps(told, ensure_ascii=False).encode()  # what every database and page takes
    assert "\\u0000" not in kept["NewFindings"]


def test_where_inspector_has_more_than_a_page_that_is_said() -> None:
    found = World(*(finding(f"CVE-{n}", "LOW") for n in range(30)), page=25).look()
    told = json.loads(found.output["NewFindings"])
    assert (len(told["findings"]), told["more"], told["all"]) == (20, 5, False)
