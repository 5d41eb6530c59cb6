"""What machines ask, what every answer carries, and that no input makes a fault of ours."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import Counter
from pydantic import SecretStr

from controlplane.api.guard import NEEDS
from controlplane.server import create_app
from tests.support.doors import Doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    found = Doors(tmp_path_factory.mktemp("doors"))
    found.waits_for_approval()
    return found


def test_it_is_ready_until_something_keeps_it_from_being_so(doors: Doors) -> None:
    client = doors.client(None)
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    doors.unready["engine"] = "the thread died"
    answer = client.get("/readyz")
    doors.unready.clear()
    assert answer.status_code == 503
    assert answer.json()["problems"] == {"engine": "the thread died"}


def test_metrics_are_those_of_the_installation(doors: Doors) -> None:
    Counter("doors_total", "Of this test.", registry=doors.metrics).inc()
    answer = doors.client(None).get("/metrics")
    assert "doors_total 1.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_every_answer_carries_safe_headers(doors: Doors) -> None:
    for path in ("/healthz", "/api/v1/pipelines", "/nowhere", "/console/login"):
        headers = doors.client(None).get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_without_a_secret_there_are_no_doors(tmp_path: Path) -> None:
    parts = Doors(tmp_path).parts()
    parts.settings.secret = SecretStr("")
    with pytest.raises(ValueError, match="TOWPATH_SECRET"):
        create_app(parts)


def test_the_doctor_and_the_schema_answer(doors: Doors) -> None:
    assert doors.client().get("/api/v1/doctor/shop").json() == [{"hop": "shop", "ok": True}]
    assert doors.client().get("/api/v1/doctor/nope").status_code == 404
    assert "stages" in doors.client().get("/api/v1/schema").text
    assert doors.client().get("/api/v1/openapi.json").json()["openapi"].startswith("3.")


FIELDS = st.sampled_from(
    [
        "result",
        "summary",
        "action",
        "abandon",
        "reason",
        "mode",
        "name",
        "role",
        "expiresAt",
        "revisions",
        "clientRequestToken",
        "id",
        "regions",
        "roles",
        "pipeline",
        "stages",
    ]
)
ODD = st.sampled_from(["\x00", "\ud800", "9" * 5_000, "Approved", "0001-01-01T00:00:00+14:00"])
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | ODD
TREE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | ODD, inner, max_size=5),
    max_leaves=8,
)
TEXT = ODD | st.text(max_size=20)
SHAPED = st.one_of(
    st.fixed_dictionaries({"reason": TEXT}),
    st.fixed_dictionaries({"reason": TEXT, "abandon": st.booleans()}),
    st.fixed_dictionaries({"result": st.just("Approved"), "summary": TEXT}),
    st.fixed_dictionaries({"revisions": st.dictionaries(TEXT, TEXT), "clientRequestToken": TEXT}),
    st.fixed_dictionaries({"name": TEXT, "role": st.just("viewer"), "expiresAt": TEXT}),
)
WORDS = st.sampled_from(["shop", "Gate", "Prod", "dev", "sha256:0"]) | st.text(max_size=20)
NUMBERS = st.sampled_from([2**63, 2**70, -(2**63), 0]) | st.integers()
QUERY = st.dictionaries(
    st.sampled_from(["after", "limit", "before", "pipeline", "execution", "format", "file"]),
    st.text(max_size=10) | NUMBERS.map(str),
    max_size=3,
)


def sent(body: Any) -> dict[str, Any]:
    """A body as the client sends it: JSON, or the bytes that are none."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"content": raw, "headers": {"content-type": "application/json"}}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    route=st.sampled_from(sorted(NEEDS)),
    words=st.lists(WORDS, min_size=2, max_size=2),
    body=SHAPED | TREE | st.binary(max_size=40),
    query=QUERY,
)
def test_no_input_is_a_fault(
    doors: Doors, route: tuple[str, str], words: list[str], body: Any, query: dict[str, str]
) -> None:
    method, path = route
    for part in [part for part in path.split("/") if part.startswith("{")]:
        path = path.replace(part, quote(words.pop(), safe="", errors="replace") or "-", 1)
    answer = doors.client().request(method, f"/api/v1{path}", params=query, **sent(body))
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "x" * 1_001])
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("DELETE", "/pipelines/shop/stages/Prod/transition", "reason"),
        ("POST", "/pipelines/shop/stages/Prod/rollback", "reason"),
        ("POST", "/pipelines/shop/executions", "clientRequestToken"),
        ("POST", "/executions/none/stop", "reason"),
    ],
)
def test_text_that_no_database_holds_is_refused(
    doors: Doors, method: str, path: str, field: str, odd: str
) -> None:
    answer = doors.client().request(method, f"/api/v1{path}", **sent({field: odd}))
    assert (answer.status_code, f"body.{field}" in answer.text) == (422, True)


@pytest.mark.parametrize("after", [2**63, -1, "x"])
def test_a_number_that_no_database_holds_is_refused(doors: Doors, after: object) -> None:
    assert doors.client().get(f"/api/v1/events?after={after}").status_code == 422


def test_deeply_nested_json_is_refused(doors: Doors) -> None:
    deep = sent(b"[" * 100_000)
    assert doors.client().post("/api/v1/tokens", **deep).status_code in {400, 422}
    assert doors.client().put("/api/v1/pipelines/web", **deep).status_code == 422
