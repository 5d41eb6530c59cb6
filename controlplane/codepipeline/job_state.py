"""What GetPipelineState says of an action that a worker or a function does, beside what it says of all.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionState.html
"""

import json
from typing import Any

from sqlalchemy import Connection

from controlplane.actions.job_words import filled
from controlplane.declarations.model import ActionDeclaration
from controlplane.declarations.registered import id_of, is_foreign
from controlplane.store import action_types, jobs


def of(connection: Connection, action: ActionDeclaration, row: Any) -> dict[str, Any]:
    """Answer the action's own URLs and the revision that its worker told of last; {} for any other action.

    row: its latest execution, None where it has none.
    """
    if not is_foreign(action):
        return {}
    type_ = action_types.get(connection, id_of(action.action_type_id), deleted=True) or {}
    urls = type_.get("urls", {})
    said = _said(connection, row)
    external = str(said.get("externalExecutionId") or "")
    given = {"ExternalExecutionId": external}
    found: dict[str, Any] = {
        "entityUrl": filled(urls.get("entityUrlTemplate", ""), action.configuration, given),
        "percentComplete": said.get("percentComplete"),
    }
    revision = said.get("currentRevision")
    if revision is not None:
        id_ = {"RevisionId": revision["revision"]}
        found["revisionUrl"] = filled(
            urls.get("revisionUrlTemplate", ""), action.configuration, given | id_
        )
        found["currentRevision"] = {
            "revisionId": revision["revision"],
            "revisionChangeId": revision["changeIdentifier"],
            "created": revision.get("created", row.started_at),
        }
    return found


def _said(connection: Connection, row: Any) -> dict[str, Any]:
    job = None if row is None else jobs.latest(connection, row.id)
    return {} if job is None else dict(json.loads(job.said))
