"""Action types that are registered: created, updated, got and deleted. `types` lists them.

One definition is kept of both of CodePipeline's models: CreateCustomActionType's (owner Custom, a worker
polls) and UpdateActionType's (owner ThirdParty, a worker or a Lambda function).
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionTypeDeclaration.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane.codepipeline import tagging
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.declarations.providers import ACTION_NAMES
from controlplane.declarations.registered import OUR_OWN
from controlplane.store import action_types, audit, tags
from controlplane.store.action_types import Id

MOST = 50
"""Types of an installation, as custom actions in a Region of CodePipeline."""
WORKER = {"type": "JobWorker"}
URLS = {
    "configurationUrl": "thirdPartyConfigurationUrl",
    "entityUrlTemplate": "entityUrlTemplate",
    "executionUrlTemplate": "executionUrlTemplate",
    "revisionUrlTemplate": "revisionUrlTemplate",
}
"""ActionTypeUrls -> ActionTypeSettings."""
ADDRESS = re.compile(r"https?://[^\s{}]")
WORDS = ("category", "owner", "provider", "version")


def create(ask: Ask) -> Answer:
    """Register a custom action type; a version that there ever was is never given again."""
    given = ask.given
    id_ = (given["category"], "Custom", given["provider"], given["version"])
    settings = given.get("settings", {})
    definition = {
        "executor": WORKER,
        "properties": [_property(one) for one in given.get("configurationProperties", ())],
        "inputs": _bounds(given["inputArtifactDetails"]),
        "outputs": _bounds(given["outputArtifactDetails"]),
        "urls": {ours: settings[word] for ours, word in URLS.items() if word in settings},
    }
    _check(id_, definition)
    wanted = tagging.read(given.get("tags", ()), {})
    with ask.desk.database.begin() as connection:
        if action_types.ever(connection, id_):
            said = f"There is, or was, an action type {'/'.join(id_)}: give it another version"
            raise invalid(said)
        _refuse_too_many(connection)
        action_types.add(connection, id_, definition, ask.now)
        tags.put(connection, f"actiontype/{'/'.join(id_)}", wanted)
        audit.note(connection, ask.now, ask.person, "actiontype.created", "/".join(id_))
    return {"actionType": listed(id_, definition), "tags": tagging.write(wanted)}


def delete(ask: Ask) -> Answer:
    """Mark a custom action type as deleted; one that is not there is no fault."""
    id_ = (ask.given["category"], "Custom", ask.given["provider"], ask.given["version"])
    with ask.desk.database.begin() as connection:
        there = action_types.remove(connection, id_, ask.now)
        tags.forget(connection, f"actiontype/{'/'.join(id_)}")
        if there:  # noted last: the order of events is the last lock that anybody takes
            audit.note(connection, ask.now, ask.person, "actiontype.deleted", "/".join(id_))
    return {}


def update(ask: Ask) -> Answer:
    """Give a third party's action type a new definition; the first one registers it."""
    given = ask.given["actionType"]
    id_ = _id(given["id"])
    if id_[1] != "ThirdParty":
        raise _not_found(id_, "only types of owner ThirdParty have an executor that can be set")
    definition = {
        "executor": _executor(given["executor"]),
        "properties": [_property(_old(one)) for one in given.get("properties", ())],
        "inputs": _bounds(given["inputArtifactDetails"]),
        "outputs": _bounds(given["outputArtifactDetails"]),
        "urls": dict(given.get("urls", {})),
        "description": given.get("description", ""),
        "permissions": given.get("permissions"),
    }
    _check(id_, definition)
    with ask.desk.database.begin() as connection:
        if not action_types.change(connection, id_, definition, ask.now):
            _refuse_too_many(connection)
            action_types.add(connection, id_, definition, ask.now)
        audit.note(connection, ask.now, ask.person, "actiontype.updated", "/".join(id_))
    return {}


def get(ask: Ask) -> Answer:
    """Answer the definition of a type that has an executor."""
    id_ = _id(ask.given)
    with ask.read() as connection:
        found = action_types.get(connection, id_)
    if found is None:
        own = any(one.id == id_ for one in ACTION_NAMES.values())
        raise _not_found(id_, "Towpath runs it itself" if own else "there is no such action type")
    return {"actionType": _declared(id_, found)}


def listed(id_: Id, found: Mapping[str, Any]) -> dict[str, Any]:
    """Write a registered type as ListActionTypes does."""
    settings = {word: found["urls"][ours] for ours, word in URLS.items() if ours in found["urls"]}
    return {
        "id": dict(zip(WORDS, id_, strict=True)),
        "settings": settings or None,
        "actionConfigurationProperties": found["properties"],
        "inputArtifactDetails": _counts(found["inputs"]),
        "outputArtifactDetails": _counts(found["outputs"]),
    }


# --- inside -------------------------------------------------------------------------------------


def _id(given: Mapping[str, str]) -> Id:
    return (given["category"], given["owner"], given["provider"], given["version"])


def _not_found(id_: Id, why: str) -> WireError:
    return WireError("ActionTypeNotFoundException", f"{'/'.join(id_)}: {why}")


def _bounds(given: Mapping[str, int]) -> list[int]:
    return [given["minimumCount"], given["maximumCount"]]


def _counts(bounds: Sequence[int]) -> dict[str, int]:
    return {"minimumCount": bounds[0], "maximumCount": bounds[1]}


def _property(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"queryable": False, "type": "String", **given}


def _old(given: Mapping[str, Any]) -> dict[str, Any]:
    """An ActionTypeProperty in the words of an ActionConfigurationProperty."""
    kept = {key: given[key] for key in ("name", "key", "queryable", "description") if key in given}
    return {**kept, "required": not given["optional"], "secret": given["noEcho"]}


def _executor(given: Mapping[str, Any]) -> dict[str, Any]:
    configuration, kind = given["configuration"], given["type"]
    function = configuration.get("lambdaExecutorConfiguration", {}).get("lambdaFunctionArn", "")
    worker = configuration.get("jobWorkerExecutorConfiguration")
    if (kind == "Lambda") is not bool(function) or (kind == "JobWorker") is not (
        worker is not None
    ):
        raise invalid(f"An executor of type {kind} needs the configuration of one, and no other")
    more = {key: given[key] for key in ("jobTimeout", "policyStatementsTemplate") if key in given}
    return {"type": kind, "functionArn": function, "worker": worker, **more}


def _declared(id_: Id, found: Mapping[str, Any]) -> dict[str, Any]:
    executor, urls = found["executor"], found["urls"]
    function = executor.get("functionArn")
    configuration = (
        {"lambdaExecutorConfiguration": {"lambdaFunctionArn": function}}
        if function
        else {"jobWorkerExecutorConfiguration": executor.get("worker") or {}}
    )
    properties = [
        {
            **{key: one.get(key) for key in ("name", "key", "queryable", "description")},
            "optional": not one["required"],
            "noEcho": one["secret"],
        }
        for one in found["properties"]
    ]
    return {
        "id": dict(zip(WORDS, id_, strict=True)),
        "description": found.get("description"),
        "executor": {
            "type": executor["type"],
            "configuration": configuration,
            "jobTimeout": executor.get("jobTimeout"),
            "policyStatementsTemplate": executor.get("policyStatementsTemplate"),
        },
        "inputArtifactDetails": _counts(found["inputs"]),
        "outputArtifactDetails": _counts(found["outputs"]),
        "permissions": found.get("permissions"),
        "properties": properties,
        "urls": urls or None,
    }


def _check(id_: Id, definition: Mapping[str, Any]) -> None:
    """What the shapes do not say."""
    if id_[2] in OUR_OWN:
        raise invalid(f"Towpath runs a provider {id_[2]} itself: give yours another name")
    if any(not ADDRESS.match(url) for url in definition["urls"].values()):
        raise invalid("Each URL, and each template of one, must begin with https:// or http://")
    for word in ("inputs", "outputs"):
        least, most = definition[word]
        if least > most:
            raise invalid(f"The minimumCount of {word} is over their maximumCount")
    names = [one["name"] for one in definition["properties"]]
    if len(set(names)) < len(names) or "Account" in names:
        raise invalid("Each property needs a name of its own, and Account is Towpath's")
    queryable = [one for one in definition["properties"] if one["queryable"]]
    if len(queryable) > 1 or any(one["secret"] or not one["required"] for one in queryable):
        raise invalid("One property may be queryable, and it must be required and not secret")


def _refuse_too_many(connection: Connection) -> None:
    if len(action_types.all_(connection)) >= MOST:
        said = f"There are {MOST} registered action types: delete some first"
        raise WireError("LimitExceededException", said)
