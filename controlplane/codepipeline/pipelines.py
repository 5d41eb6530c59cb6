"""Create, get, update, delete, list: the structures."""

from typing import Any

from controlplane.codepipeline import faults, pages, spelling, tagging
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError
from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import pipelines, standing, tags

LISTING = "pipelines"
PAGE = 1_000


def create(ask: Ask) -> Answer:
    """Store a new pipeline. It is not started by that: its sources start it by their newest revision."""
    wanted = tagging.read(ask.given.get("tags", ()), {})
    declaration = spelling.read(ask, ask.given["pipeline"])
    try:
        version = ask.desk.commands.apply_pipeline(declaration, ask.person, new=True)
    except CommandError as error:
        faults.refuse(error, "PipelineNameInUseException")
    tagging.begin(ask, f"pipeline/{declaration.name}", wanted)
    return {
        "pipeline": spelling.write(ask, declaration, version),
        "tags": tagging.write(wanted),
    }


def update(ask: Ask) -> Answer:
    """Store a new version; what runs goes on by the version that it started with."""
    declaration = spelling.read(ask, ask.given["pipeline"])
    try:
        version = ask.desk.commands.apply_pipeline(declaration, ask.person, new=False)
    except CommandError as error:
        if error.problem is Problem.UNKNOWN:
            raise faults.no_pipeline(declaration.name) from error
        faults.refuse(error, "LimitExceededException")
    return {"pipeline": spelling.write(ask, declaration, version)}


def delete(ask: Ask) -> Answer:
    """Forget a pipeline of which nothing runs; one that is not there is no fault, as at CodePipeline."""
    name = ask.given["name"]
    try:
        ask.desk.commands.delete_pipeline(name, ask.person)
    except CommandError as error:
        faults.refuse(error, "ConcurrentModificationException")
    with ask.desk.database.begin() as connection:
        tags.forget(connection, f"pipeline/{name}")
    return {}


def get(ask: Ask) -> Answer:
    """Answer a structure, the newest or an older one."""
    name = ask.given["name"]
    with ask.read() as connection:
        row = pipelines.row(connection, name)
        if row is None:
            raise faults.no_pipeline(name)
        version = ask.given.get("version", row.version)
        try:
            found = ask.desk.structures.pipeline(connection, name, version)
        except KeyError as error:
            said = f"Pipeline '{name}' has no version {version}"
            raise WireError("PipelineVersionNotFoundException", said) from error
        began = pipelines.created(connection, name)[name]
    metadata = {"pipelineArn": ask.arn(name), "created": began, "updated": row.updated_at}
    return {"pipeline": spelling.write(ask, found, version), "metadata": metadata}


def list_(ask: Ask) -> Answer:
    """Answer pipelines by name."""
    most = pages.size(ask.given, PAGE)
    with ask.read() as connection:
        after = pages.after(ask.given, LISTING)
        rows = standing.pipelines(connection, after, most + 1, ask.seen)
        rows, token = pages.page(rows, most, LISTING, lambda row: row.name)
        ends = (rows[0].name, rows[-1].name) if rows else ("", "")
        began = pipelines.created(connection, *ends)
        found = [_summary(ask, connection, row, began[row.name]) for row in rows]
    return {"pipelines": found, "nextToken": token}


def _summary(ask: Ask, connection: Any, row: Any, began: float) -> dict[str, Any]:
    said = {"name": row.name, "version": row.version, "created": began, "updated": row.updated_at}
    try:
        found = ask.desk.structures.pipeline(connection, row.name, row.version)
    except BrokenStructureError:
        return said  # it is listed all the same
    return {**said, "pipelineType": found.pipeline_type, "executionMode": found.execution_mode}
