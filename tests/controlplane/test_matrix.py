"""Who may what, of all that there is to ask for: one literal table, and every route must be in it.

Each row says who is let in. reach: how far a grant over one pipeline goes: THERE (that pipeline and no
other), ANY (what it shows is cut to that pipeline), ALL (nowhere: only who may it everywhere is let in).
"""

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import Mount

from controlplane.codepipeline import scope
from controlplane.codepipeline.operations import OPERATIONS
from controlplane.console import live
from controlplane.console.csrf import masked
from controlplane.console.moves import MOVES, On
from controlplane.console.session import COOKIE, session_in
from controlplane.iam.base import Caller, Decision
from controlplane.notify import buttons
from controlplane.server import create_app
from controlplane.slack import moves as slack_moves
from controlplane.slack.desk import Door
from controlplane.slack.people import NotAllowedError
from controlplane.store.grants import bounded, may
from controlplane.store.roles import Role
from tests.support.doors import SECRET, Doors, InProcess
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

SEES = frozenset({"viewer", "developer", "approver", "release-manager", "admin"})
RUNS = frozenset({"developer", "release-manager", "admin"})
APPROVES = frozenset({"approver", "release-manager", "admin"})
MANAGES = frozenset({"release-manager", "admin"})
REPORTS = frozenset({"reporter", "admin"})
WORKS = frozenset({"job-worker", "admin"})
ADMIN = frozenset({"admin"})
THERE, ANY, ALL = "there", "any", "all"


class Row(NamedTuple):
    who: frozenset[str]
    reach: str


REST = {
    "GET /pipelines": Row(SEES, ANY),
    "GET /pipelines/{name}": Row(SEES, THERE),
    "PUT /pipelines/{name}": Row(MANAGES, THERE),
    "GET /pipelines/{name}/state": Row(SEES, THERE),
    "GET /pipelines/{name}/executions": Row(SEES, THERE),
    "POST /pipelines/{name}/executions": Row(RUNS, THERE),
    "POST /pipelines/{name}/stages/{stage}/rollback": Row(MANAGES, THERE),
    "POST /pipelines/{name}/stages/{stage}/drill": Row(RUNS, THERE),
    "GET /pipelines/{name}/drills": Row(SEES, THERE),
    "PUT /pipelines/{name}/stages/{stage}/transition": Row(MANAGES, THERE),
    "DELETE /pipelines/{name}/stages/{stage}/transition": Row(MANAGES, THERE),
    "GET /pipelines/{name}/shadow": Row(SEES, THERE),
    "PUT /pipelines/{name}/shadow": Row(MANAGES, THERE),
    "GET /migrations/{account}": Row(MANAGES, ALL),
    "POST /migrations/{account}/{name}": Row(MANAGES, THERE),
    "GET /executions/{execution_id}": Row(SEES, THERE),
    "GET /executions/{execution_id}/measurements": Row(SEES, THERE),
    "GET /executions/{execution_id}/explanation": Row(SEES, THERE),
    "POST /executions/{execution_id}/stop": Row(RUNS, THERE),
    "GET /executions/{execution_id}/stages/{stage}/approval": Row(SEES, THERE),
    "POST /executions/{execution_id}/stages/{stage}/approval": Row(APPROVES, THERE),
    "POST /executions/{execution_id}/stages/{stage}/judgement": Row(MANAGES, THERE),
    "POST /executions/{execution_id}/stages/{stage}/extension": Row(MANAGES, THERE),
    "POST /executions/{execution_id}/stages/{stage}/retry": Row(RUNS, THERE),
    "POST /executions/{execution_id}/stages/{stage}/override": Row(MANAGES, THERE),
    "GET /freezes": Row(SEES, ANY),
    "POST /freezes": Row(MANAGES, ANY),
    "DELETE /freezes/{freeze_id}": Row(MANAGES, ANY),
    "GET /incidents": Row(SEES, ANY),
    "POST /incidents/alertmanager": Row(REPORTS, ALL),
    "DELETE /incidents/{key}": Row(MANAGES, ALL),
    "GET /quarantine": Row(SEES, ANY),
    "DELETE /quarantine/{digest}": Row(MANAGES, ALL),
    "GET /ledger/{name}": Row(SEES, THERE),
    "GET /events": Row(SEES, ANY),
    "GET /audit": Row(MANAGES, ALL),
    "GET /accounts": Row(SEES, ANY),
    "GET /accounts/{name}": Row(SEES, ANY),
    "PUT /accounts/{name}": Row(ADMIN, ALL),
    "DELETE /accounts/{name}": Row(ADMIN, ALL),
    "GET /doctor": Row(MANAGES, ALL),
    "GET /doctor/{name}": Row(MANAGES, THERE),
    "GET /schema": Row(SEES, ANY),
    "GET /openapi.json": Row(SEES, ANY),
    "GET /tokens": Row(ADMIN, ALL),
    "POST /tokens": Row(ADMIN, ALL),
    "DELETE /tokens/{token_id}": Row(ADMIN, ALL),
    "GET /sessions": Row(ADMIN, ALL),
    "DELETE /sessions/{session_id}": Row(ADMIN, ALL),
}
CONSOLE = {
    "POST /logout": Row(SEES, ANY),
    "GET /": Row(SEES, ANY),
    "GET /pipelines/{name}": Row(SEES, THERE),
    "GET /pipelines/{name}/events": Row(SEES, THERE),
    "GET /executions/{execution_id}": Row(SEES, THERE),
    "GET /executions/{execution_id}/stages/{stage}/approval": Row(SEES, THERE),
    "POST /executions/{execution_id}/stages/{stage}/approval": Row(APPROVES, THERE),
    "GET /freezes": Row(SEES, ANY),
    "GET /quarantine": Row(SEES, ANY),
    "GET /accounts": Row(SEES, ANY),
    "GET /audit": Row(MANAGES, ALL),
    "POST /pipelines/{name}/start": Row(RUNS, THERE),
    "POST /pipelines/{name}/stop": Row(RUNS, THERE),
    "POST /pipelines/{name}/retry": Row(RUNS, THERE),
    "POST /pipelines/{name}/rollback": Row(MANAGES, THERE),
    "POST /pipelines/{name}/pass": Row(MANAGES, THERE),
    "POST /pipelines/{name}/extend": Row(MANAGES, THERE),
    "POST /pipelines/{name}/open": Row(MANAGES, THERE),
    "POST /pipelines/{name}/close": Row(MANAGES, THERE),
    "POST /pipelines/{name}/override": Row(MANAGES, THERE),
    "POST /pipelines/{name}/lift": Row(MANAGES, ALL),
    "POST /quarantine/release": Row(MANAGES, ALL),
    "POST /freezes/freeze": Row(MANAGES, THERE),
    "POST /freezes/unfreeze": Row(MANAGES, ALL),
    "POST /freezes/resolve": Row(MANAGES, ALL),
}
SLACK = {
    "approve": Row(APPROVES, THERE),
    "reject": Row(APPROVES, THERE),
    "pass": Row(MANAGES, THERE),
    "extend": Row(MANAGES, THERE),
    "rollback": Row(MANAGES, THERE),
    "hold": Row(MANAGES, THERE),
    "resume": Row(MANAGES, THERE),
}
WIRE = {
    "CreatePipeline": Row(MANAGES, THERE),
    "GetPipeline": Row(SEES, THERE),
    "UpdatePipeline": Row(MANAGES, THERE),
    "DeletePipeline": Row(MANAGES, THERE),
    "ListPipelines": Row(SEES, ANY),
    "StartPipelineExecution": Row(RUNS, THERE),
    "StopPipelineExecution": Row(RUNS, THERE),
    "GetPipelineExecution": Row(SEES, THERE),
    "ListPipelineExecutions": Row(SEES, THERE),
    "RetryStageExecution": Row(RUNS, THERE),
    "PutActionRevision": Row(RUNS, THERE),
    "GetPipelineState": Row(SEES, THERE),
    "ListActionExecutions": Row(SEES, THERE),
    "ListRuleExecutions": Row(SEES, THERE),
    "ListDeployActionExecutionTargets": Row(SEES, THERE),
    "PutApprovalResult": Row(APPROVES, THERE),
    "EnableStageTransition": Row(MANAGES, THERE),
    "DisableStageTransition": Row(MANAGES, THERE),
    "RollbackStage": Row(MANAGES, THERE),
    "OverrideStageCondition": Row(MANAGES, THERE),
    "ListActionTypes": Row(SEES, ANY),
    "ListRuleTypes": Row(SEES, ANY),
    "GetActionType": Row(SEES, ANY),
    "TagResource": Row(MANAGES, THERE),
    "UntagResource": Row(MANAGES, THERE),
    "ListTagsForResource": Row(SEES, THERE),
    "PutWebhook": Row(MANAGES, THERE),
    "ListWebhooks": Row(SEES, ALL),
    "DeleteWebhook": Row(MANAGES, ALL),
    "RegisterWebhookWithThirdParty": Row(MANAGES, ALL),
    "DeregisterWebhookWithThirdParty": Row(MANAGES, ALL),
    "CreateCustomActionType": Row(MANAGES, ALL),
    "DeleteCustomActionType": Row(MANAGES, ALL),
    "UpdateActionType": Row(MANAGES, ALL),
    "PollForJobs": Row(WORKS, ALL),
    "AcknowledgeJob": Row(WORKS, ALL),
    "GetJobDetails": Row(WORKS, ALL),
    "PutJobSuccessResult": Row(WORKS, ALL),
    "PutJobFailureResult": Row(WORKS, ALL),
    "PollForThirdPartyJobs": Row(WORKS, ALL),
    "AcknowledgeThirdPartyJob": Row(WORKS, ALL),
    "GetThirdPartyJobDetails": Row(WORKS, ALL),
    "PutThirdPartyJobSuccessResult": Row(WORKS, ALL),
    "PutThirdPartyJobFailureResult": Row(WORKS, ALL),
}
IAM = {"Approved": Row(APPROVES, THERE), "Rejected": Row(APPROVES, THERE)}
"""What whoever AWS names may say, by the grants of his entry in TOWPATH_IAM_APPROVERS."""
OPEN = {
    "GET /": 307,
    "GET /healthz": 200,
    "GET /readyz": 200,
    "GET /metrics": 200,
    "GET /console/login": 200,
    "POST /console/login": 401,
    "GET /console/login/provider": 404,
    "GET /console/login/callback": 404,
    "MOUNT /console/static": 404,
    # Each of these is signed by whoever sends it; a token of ours, or none, opens none of them.
    "POST /": 403,
    "POST /slack/commands": 401,
    "POST /slack/interactivity": 401,
    "POST /git/{name}": 404,
    "POST /api/v1/iam-approvals": 422,
    "POST /webhooks/{path}": 404,
}
"""What needs no token and no session, and what nobody is answered there."""

ARN = "arn:aws:iam::444455556666:role/"
SHOP = bounded(Role.RELEASE_MANAGER, ["shop"])


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """shop and till, each with an execution that waits; a person of Slack for each role."""
    people: dict[str, Any] = {
        f"U{number}": {"name": role.value, "role": role.value} for number, role in enumerate(Role)
    }
    approvers = {
        f"{ARN}{role.value}": {"name": role.value, "grants": [{"role": role.value}]}
        for role in Role
    }
    of_shop = [{"role": "release-manager", "pipelines": "shop"}]
    approvers[f"{ARN}shop"] = {"name": "shop", "grants": of_shop}
    people["USHOP"] = {"name": "shop", "role": "release-manager", "pipelines": "shop"}
    doors = Doors(tmp_path_factory.mktemp("doors"), slack_people=people, iam_approvers=approvers)
    doors.waits_for_approval()
    doors.house.apply(pipeline(source(), deploying("Prod"), name="till"))
    doors.house.start("till")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(live, "LONGEST", 0.0)
        yield doors


@pytest.fixture(scope="module")
def wire_doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    return Doors(tmp_path_factory.mktemp("wire"))


@pytest.fixture(scope="module")
def expired(doors: Doors) -> str:
    now = doors.house.clock().timestamp()
    token = doors.token(Role.ADMIN, now + 60)
    doors.house.clock.advance(61)
    return token


def routes(app: Any, prefix: str = "") -> Iterator[str]:
    """Every route of an application and of those below it, as "METHOD path"."""
    for route in app.routes:
        if isinstance(route, Mount):
            below = f"{prefix}{route.path}"
            yield from routes(route.app, below) if route.routes else [f"MOUNT {below}"]
            continue
        contexts = getattr(route, "effective_route_contexts", None)
        for one in (route,) if contexts is None else contexts():
            yield from (f"{method} {prefix}{one.path}" for method in sorted(one.methods))


def expand(route: str) -> list[str]:
    """A route of moves is as many as there are moves on its page."""
    return [
        route.replace("{move}", name)
        for name, move in MOVES.items()
        if "{move}" not in route or ON[route] is move.on
    ]


ON = {
    "POST /console/pipelines/{name}/{move}": On.PIPELINE,
    "POST /console/freezes/{move}": On.FREEZES,
    "POST /console/quarantine/{move}": On.QUARANTINE,
}


def test_every_route_that_there_is_is_in_the_table_and_no_other(doors: Doors) -> None:
    listed = {method.replace(" ", " /api/v1", 1) for method in REST}
    listed |= {method.replace(" ", " /console", 1) for method in CONSOLE} | set(OPEN)
    assert {one for route in routes(doors.app) for one in expand(route)} == listed


def test_every_operation_and_every_button_is_in_the_table() -> None:
    assert (set(WIRE), set(SLACK)) == (set(OPERATIONS), set(slack_moves.NEEDS))


def path_of(doors: Doors, route: str, name: str) -> tuple[str, str]:
    """A method and a path that names this pipeline, or an execution of it."""
    method, path = route.split(" ", 1)
    given = {
        "name": "dev" if "/accounts/" in path else name,
        "execution_id": doors.house.rows(name)[-1].id,
        "stage": "Prod",
        "account": "dev",
        "freeze_id": "1",
        "key": "none",
        "digest": "sha256:0",
        "token_id": "none",
        "session_id": "none",
    }
    return method, path.format(**given)


def is_let_in(answer: httpx.Response) -> bool:
    """A redirect to the login page is the console's 401; too many of those are a 429."""
    to_login = answer.headers.get("location", "").startswith("/console/login?")
    waits = answer.status_code == 429 and "failed sign-ins" in answer.text
    return answer.status_code not in (401, 403) and not to_login and not waits


def expected(row: Row) -> dict[str, bool]:
    """Who is let in. "shop here", "shop there": a grant over shop, asking about shop or about till."""
    here = "release-manager" in row.who and row.reach != ALL
    return {
        **{role.value: role.value in row.who for role in Role},
        "shop here": here,
        "shop there": here and row.reach == ANY,
        "nobody": False,
        "expired": False,
    }


@pytest.mark.parametrize("route", [*REST])
def test_the_rest_door_lets_in_whom_the_table_says(doors: Doors, expired: str, route: str) -> None:
    def ask(client: httpx.Client, name: str = "shop") -> bool:
        method, path = path_of(doors, route, name)
        answer = client.request(method, f"/api/v1{path}")
        # What a limited handler refuses for what the body or the row says is in test_scopes.
        return is_let_in(answer)

    scoped, old = doors.scoped(Role.RELEASE_MANAGER, "shop"), doors.client(None)
    old.headers["authorization"] = f"Bearer {expired}"
    found = {role.value: ask(doors.client(role)) for role in Role}
    found |= {"shop here": ask(scoped), "shop there": ask(scoped, "till")}
    assert {**found, "nobody": ask(doors.client(None)), "expired": ask(old)} == expected(
        REST[route]
    )


@pytest.mark.parametrize("route", [*CONSOLE])
def test_the_console_lets_in_whom_the_table_says(doors: Doors, expired: str, route: str) -> None:
    def ask(browser: httpx.Client, name: str = "shop") -> bool:
        method, path = path_of(doors, route, name)
        cookie = browser.cookies.get(COOKIE)
        desk = next(one for one in doors.app.routes if isinstance(one, Mount)).app.state.desk  # type: ignore[attr-defined]
        form = {
            "csrf": masked(session_in(desk, cookie).csrf) if cookie else "",
            "execution": doors.house.rows(name)[-1].id,
            "pipeline": name,
            "stage": "Prod",
            "reason": "so",
        }
        return is_let_in(browser.request(method, path, data=form if method == "POST" else None))

    token = doors.scoped_token(Role.RELEASE_MANAGER, "shop")
    found = {role.value: ask(doors.browser(role)) for role in Role}
    found |= {"shop here": ask(doors.browser(token=token))}
    found |= {"shop there": ask(doors.browser(token=token), "till")}
    nobody = {
        "nobody": ask(doors.browser(token="none")),
        "expired": ask(doors.browser(token=expired)),
    }
    doors.house.clock.advance(61)  # for that was two failed sign-ins, and there are more rows
    assert found | nobody == expected(CONSOLE[route])


@pytest.mark.parametrize("button", [*SLACK])
def test_slack_does_for_whom_the_table_says(doors: Doors, button: str) -> None:
    """The worker asks this before it does anything: whoever pressed is long acknowledged by then."""
    house = doors.house
    door = Door(
        house.database,
        house.commands,
        house.structures,
        doors.settings.slack_people,
        SECRET,
        house._now,
    )

    def ask(user: str, name: str = "shop") -> bool:
        press = buttons.Press(button, house.rows(name)[-1].id, "Prod", "Ask", "t")
        try:
            slack_moves.who(door, user, press)
        except NotAllowedError:
            return False
        return True

    found = {role.value: ask(f"U{number}") for number, role in enumerate(Role)}
    found |= {"shop here": ask("USHOP"), "shop there": ask("USHOP", "till"), "nobody": ask("UNONE")}
    assert {**found, "expired": False} == expected(SLACK[button])


class Says:
    """AWS, which says that whoever the comment names has signed."""

    def caller(self, _url: str, decision: Decision) -> Caller:
        return Caller(f"{ARN}{decision.comment}", "444455556666", decision.nonce, 0.0)


@pytest.mark.parametrize("verdict", [*IAM])
def test_iam_decides_for_whom_the_table_says(doors: Doors, verdict: str) -> None:
    signs: Any = Says()
    app = create_app(doors.parts(iam=signs))
    client = httpx.Client(transport=InProcess(app), base_url="http://towpath")

    def ask(who: str, name: str = "shop") -> bool:
        body = {
            "execution": doors.house.rows(name)[-1].id,
            "stage": "Prod",
            "result": verdict,
            "summary": who,
            "nonce": secrets.token_hex(16),
            "url": "https://sts.invalid/",
        }
        return is_let_in(client.post("/api/v1/iam-approvals", json=body))

    found = {role.value: ask(role.value) for role in Role}
    found |= {"shop here": ask("shop"), "shop there": ask("shop", "till"), "nobody": ask("none")}
    assert {**found, "expired": False} == expected(IAM[verdict])


@pytest.mark.parametrize("role", list(Role))
def test_codepipelines_wire_lets_in_whom_the_table_says(wire_doors: Doors, role: Role) -> None:
    wire = Wire(wire_doors, role)
    refused = {name for name in OPERATIONS if wire.refusal(name) == "AccessDeniedException"}
    assert refused == {name for name, row in WIRE.items() if role.value not in row.who}


@pytest.mark.parametrize("operation", [*WIRE])
def test_an_operation_acts_where_its_input_says(wire_doors: Doors, operation: str) -> None:
    desk: Any = wire_doors.parts()
    needed, _ = OPERATIONS[operation]

    def ask(name: str) -> bool:
        given = {
            "name": name,
            "pipelineName": name,
            "stageName": "Prod",
            "webhookName": "none",
            "pipeline": {"name": name},
            "transitionType": "Inbound",
            "resourceArn": f"arn:aws:codepipeline:eu-west-1:111111111111:{name}",
            "webhook": {"name": "none", "targetPipeline": name},
        }
        return operation in scope.ANYWHERE or may(admin, needed, *scope.of(desk, operation, given))

    admin = bounded(Role.ADMIN, ["shop"])
    reach = {(True, True): ANY, (True, False): THERE, (False, False): ALL}
    assert reach[ask("shop"), ask("till")] == WIRE[operation].reach


@pytest.mark.parametrize("route", [*OPEN])
def test_what_needs_no_token_gives_nobody_more_than_the_table_says(
    doors: Doors, route: str
) -> None:
    method, path = route.split(" ", 1)
    method, path = ("GET", f"{path}/none") if method == "MOUNT" else (method, path)
    path = path.format(name="none", path="none")
    assert doors.client(None).request(method, path).status_code == OPEN[route]
    told = doors.client(Role.ADMIN).request(method, path).status_code
    assert (told < 400) == (OPEN[route] < 400)
