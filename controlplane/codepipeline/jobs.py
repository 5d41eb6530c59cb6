"""Jobs of custom actions and of Lambda functions: polled for, acknowledged, told how they went.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-custom-action.html
"""

import logging
from collections.abc import Mapping
from typing import Any, NoReturn

from accounts.base import AccountError
from controlplane.actions.base import ActionError
from controlplane.actions.job_data import NOWHERE, home, job_data, lent
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.engine.jobs import Given, JobError, Jobs, Refusal
from controlplane.engine.spoken import action_id
from controlplane.states import OVER_JOB
from controlplane.store import action_types
from controlplane.store import jobs as job_rows
from controlplane.store.sealing import SealError
from controlplane.store.secret_values import opened

log = logging.getLogger(__name__)
WORDS = ("category", "owner", "provider", "version")
CODES = {
    Refusal.NOT_FOUND: "JobNotFoundException",
    Refusal.NONCE: "InvalidNonceException",
    Refusal.STATE: "InvalidJobStateException",
}
MOST_VARIABLES = 122_880
"""Bytes of the output variables of one action."""


def poll(ask: Ask) -> Answer:
    """Hand out jobs of a type to whoever works for it."""
    given, id_ = ask.given, _type(ask.given["actionTypeId"])
    if id_[1] == "ThirdParty":
        raise invalid("Jobs of owner ThirdParty are polled for by PollForThirdPartyJobs")
    type_ = registered(ask, id_)
    query = given.get("queryParam", {})
    wanted = {one["name"] for one in type_["properties"] if one["queryable"]}
    if set(query) != wanted:
        said = f"must name {', '.join(wanted)}" if wanted else "must be empty"
        raise invalid(f"queryParam {said}: that is what the action type has as queryable")
    found = jobs_of(ask).poll("/".join(id_), given.get("maxBatchSize", 1), query)
    answers = (_handed_out(ask, one) for one in found)
    return {"jobs": [one for one in answers if one is not None]}


def acknowledge(ask: Ask) -> Answer:
    """Take a job: of two workers one wins."""
    _own(ask)
    return acknowledged(ask)


def details(ask: Ask) -> Answer:
    """Answer what is to be done, whatever became of the job."""
    _own(ask)
    try:
        one = jobs_of(ask).details(ask.given["jobId"])
    except JobError as error:
        refuse(error)
    account, data = told(ask, one, "JobNotFoundException")
    return {"jobDetails": {"id": one.row.id, "data": data, "accountId": account}}


def succeed(ask: Ask) -> Answer:
    """Take a worker's word that it is done, or that it goes on."""
    _own(ask)
    return succeeded(ask)


def fail(ask: Ask) -> Answer:
    """Take a worker's word that it failed."""
    _own(ask)
    return failed(ask)


# --- also of third parties --------------------------------------------------------------------------


def acknowledged(ask: Ask) -> Answer:
    """Take a job."""
    try:
        return {"status": jobs_of(ask).acknowledge(ask.given["jobId"], ask.given["nonce"])}
    except JobError as error:
        refuse(error)


def succeeded(ask: Ask) -> Answer:
    """Take a worker's word that it is done, or that it goes on."""
    variables = ask.given.get("outputVariables", {})
    if variables and ask.given.get("continuationToken"):
        raise invalid("A job that goes on has no outputVariables yet: leave the token out, or them")
    size = sum(len(k.encode()) + len(v.encode()) for k, v in variables.items())
    if size > MOST_VARIABLES:
        said = f"The output variables have {size} bytes; at most {MOST_VARIABLES}"
        raise WireError("OutputVariablesSizeExceededException", said)
    try:
        jobs_of(ask).succeed(ask.given["jobId"], ask.given)
    except JobError as error:
        refuse(error)
    return {}


def failed(ask: Ask) -> Answer:
    """Take a worker's word that it failed."""
    try:
        jobs_of(ask).fail(ask.given["jobId"], ask.given["failureDetails"])
    except JobError as error:
        refuse(error)
    return {}


def jobs_of(ask: Ask) -> Jobs:
    """Who hands jobs out, at the time of the request."""
    clock = ask.desk.clock
    return Jobs(ask.desk.database, ask.desk.structures, lambda: clock().timestamp())


def registered(ask: Ask, id_: action_types.Id) -> Mapping[str, Any]:
    """Answer the definition of a type whose jobs are polled for; ActionTypeNotFoundException."""
    with ask.read() as connection:
        found = action_types.get(connection, id_)
    if found is None or found["executor"]["type"] != "JobWorker":
        said = f"No action type {'/'.join(id_)} is registered that workers poll for"
        raise WireError("ActionTypeNotFoundException", said)
    return found


def told(ask: Ask, one: Given, code: str) -> tuple[str, dict[str, Any]]:
    """Answer a job's account and its data; WireError of that code where it cannot be made."""
    try:
        return _data(ask, one)
    except (AccountError, ActionError, SealError) as error:
        log.warning("the data of job %s cannot be told: %s", one.row.id, error)
        raise WireError(code, f"The data of the job cannot be told: {error}") from error


def refuse(error: JobError) -> NoReturn:
    """Say in CodePipeline's words why a word does not count."""
    raise WireError(CODES[error.refusal], str(error)) from error


# --- inside -------------------------------------------------------------------------------------


def _type(given: Mapping[str, str]) -> action_types.Id:
    return (given["category"], given["owner"], given["provider"], given["version"])


def _own(ask: Ask) -> None:
    """A third party's jobs are its own: without its client token nobody learns that they are there."""
    with ask.read() as connection:
        row = job_rows.by_id(connection, ask.given["jobId"])
    if row is None or row.client:
        said = f"There is no job '{ask.given['jobId']}'"
        raise WireError("JobNotFoundException", said)


def _handed_out(ask: Ask, one: Given) -> dict[str, Any] | None:
    """Answer None where it cannot be told what to do: then the job waits on, and the log says why."""
    try:
        account, data = _data(ask, one)
    except (AccountError, ActionError, SealError) as error:
        log.warning("job %s is not handed out: %s", one.row.id, error)
        jobs_of(ask).give_back(one.row)
        return None
    return {"id": one.row.id, "nonce": one.row.nonce, "accountId": account, "data": data}


def _data(ask: Ask, one: Given) -> tuple[str, dict[str, Any]]:
    task = one.job.task
    if one.job.error:
        raise ActionError(one.job.error, permanent=True)
    account = home(task, ask.desk.registry)
    configuration = opened(ask.desk.secret, task.pipeline, task.configuration)
    known = {"id": one.row.id, "continuation": one.row.continuation}
    over = one.row.status in OVER_JOB
    credentials = None if over else lent(task, account, ask.desk.lender)
    data = job_data(task, known, account, credentials, configuration)
    data["actionTypeId"] = dict(zip(WORDS, one.row.type.split("/"), strict=True))
    data["pipelineContext"] = {
        "pipelineName": task.pipeline,
        "pipelineArn": ask.arn(task.pipeline),
        "pipelineExecutionId": task.execution,
        "stage": {"name": task.stage},
        "action": {"name": task.action, "actionExecutionId": action_id(one.job.row)},
    }
    return account.id if account else NOWHERE, data
