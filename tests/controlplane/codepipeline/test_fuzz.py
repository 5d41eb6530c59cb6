"""Whatever is sent to any operation, the answer is an answer or a refusal, and never a fault of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane import server
from controlplane.codepipeline import faults, inputs, outputs
from controlplane.codepipeline.asking import Ask
from controlplane.codepipeline.door import _parsed
from controlplane.codepipeline.operations import OPERATIONS
from controlplane.codepipeline.shapes import operation
from controlplane.engine.refusals import Person
from tests.controlplane.codepipeline.test_jobs import TYPE, create, scan
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

NAMES = ["shop", "Source", "Prod", "Upload", "Deploy", "Gate", "Ask", "Test", "Scan", "1", "push"]
ODD: st.SearchStrategy[Any] = st.none() | st.integers() | st.text(max_size=5) | st.just([{}])


def strings(shape: Any) -> st.SearchStrategy[Any]:
    """What fits the shape, names that there are, and what does not fit."""
    enum = shape.metadata.get("enum")
    if enum:
        return st.sampled_from(enum)
    text = st.sampled_from(NAMES) | st.text(max_size=8)
    pattern = shape.metadata.get("pattern")
    return text | st.from_regex(pattern, fullmatch=True).map(lambda s: s[:200]) if pattern else text


def of(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Inputs of a shape; now and then something else."""
    kind = shape.type_name
    found: st.SearchStrategy[Any]
    if kind == "structure" and depth < 8:
        needed = {n: of(shape.members[n], depth + 1) for n in shape.required_members}
        more = {n: of(s, depth + 1) for n, s in shape.members.items() if n not in needed}
        found = st.fixed_dictionaries(needed, optional=more)
    elif kind == "list":
        found = st.lists(of(shape.member, depth + 1), max_size=2)
    elif kind == "map":
        found = st.dictionaries(strings(shape.key), of(shape.value, depth + 1), max_size=2)
    elif kind == "string":
        found = strings(shape)
    elif kind == "boolean":
        found = st.booleans()
    else:
        found = st.integers(-3, 1_100)
    return st.integers(0, 30).flatmap(lambda n: found if n else ODD)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    doors = Doors(Path(tmp_path_factory.mktemp("fuzz")))
    doors.waits_for_approval()
    doors.house.apply(pipeline(source(), deploying("Prod"), name="Gate"))
    NAMES.extend(jobs(doors))
    return server._codepipeline(doors.parts())


def jobs(doors: Doors) -> Iterator[str]:
    """The ids of jobs that wait, of which one is at work; and the type of owner Custom is registered."""
    call = Wire(doors).call
    create(call)
    doors.house.apply(
        pipeline(source(), {"name": "Test", "actions": [scan("One"), scan("Two")]}, name="Scans")
    )
    doors.house.start("Scans")
    given = {"actionTypeId": TYPE, "queryParam": {"Project": "shop"}, "maxBatchSize": 2}
    first, second = call("PollForJobs", given).json()["jobs"]
    call("AcknowledgeJob", {"jobId": first["id"], "nonce": first["nonce"]})
    yield from (first["id"], second["id"], second["nonce"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_input_is_a_fault_of_ours(desk: Any, name: str) -> None:
    model = operation(name)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(of(model.input_shape) if model.input_shape else st.just({}))
    def ask(sent: Any) -> None:
        status = 200
        try:
            given_ = inputs.check(model.input_shape, _parsed(json.dumps(sent).encode()))
            asked = Ask(desk, Person("anne", "codepipeline"), "eu-west-1", 1.0, given_)
            outputs.build(model.output_shape, OPERATIONS[name][1](asked))
        except faults.WireError as refused:
            status = refused.status
        assert status < 500

    ask()


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_body_is_json_or_refused(body: bytes) -> None:
    code = ""
    try:
        _parsed(body)
    except faults.WireError as refused:
        code = refused.code
    assert code in ("", "SerializationException")


@pytest.mark.parametrize("body", ["[" * 100_000, "1" * 5_000, "NaN", '{"a":Infinity}'])
def test_hostile_json_is_refused(body: str) -> None:
    with pytest.raises(faults.WireError, match="JSON"):
        _parsed(body.encode())
