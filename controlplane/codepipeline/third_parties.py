"""Jobs of third parties: whoever polls learns ids only; the rest asks for the client's own token, too.

A client is the provider of an action type of owner ThirdParty; its token is a setting
(TOWPATH_THIRD_PARTY_CLIENTS), and its id is made of the provider's name.
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PollForThirdPartyJobs.html
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.codepipeline import jobs, statuses
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.engine.jobs import Given, JobError
from controlplane.store import action_types


def poll(ask: Ask) -> Answer:
    """Hand out ids of jobs; the nonce is in their details."""
    kind = ask.given["actionTypeId"]
    id_ = (kind["category"], kind["owner"], kind["provider"], kind["version"])
    if id_[1] != "ThirdParty":
        raise invalid("Jobs of owner Custom are polled for by PollForJobs")
    _refuse_strangers(ask, id_, jobs.registered(ask, id_))
    found = jobs.jobs_of(ask).poll("/".join(id_), ask.given.get("maxBatchSize", 1), {})
    client = client_id(id_[2])
    return {"jobs": [{"clientId": client, "jobId": one.row.id} for one in found]}


def acknowledge(ask: Ask) -> Answer:
    """As AcknowledgeJob."""
    _checked(ask)
    return jobs.acknowledged(ask)


def details(ask: Ask) -> Answer:
    """As GetJobDetails, with the nonce."""
    one = _checked(ask)
    _, data = jobs.told(ask, one, "InvalidJobException")
    return {"jobDetails": {"id": one.row.id, "nonce": one.row.nonce, "data": data}}


def succeed(ask: Ask) -> Answer:
    """As PutJobSuccessResult."""
    _checked(ask)
    return jobs.succeeded(ask)


def fail(ask: Ask) -> Answer:
    """As PutJobFailureResult."""
    _checked(ask)
    return jobs.failed(ask)


def client_id(provider: str) -> str:
    """A client's id as CodePipeline spells it."""
    return str(uuid.uuid5(statuses.SPACE, f"client/{provider}"))


def _checked(ask: Ask) -> Given:
    """Answer the job, if the token is its client's: of another's jobs nobody learns that they are there."""
    wrong = WireError("InvalidClientTokenException", "The client token is not the one of this job")
    try:
        one = jobs.jobs_of(ask).details(ask.given["jobId"])
    except JobError as error:
        jobs.refuse(error)
    wanted = ask.desk.parties.get(one.row.client, "")
    given = ask.given["clientToken"].encode()
    if not wanted or not secrets.compare_digest(wanted.encode(), given):
        raise wrong
    _refuse_strangers_of(ask, one.row.type)
    return one


def _refuse_strangers(ask: Ask, id_: Sequence[str], type_: Mapping[str, Any]) -> None:
    """Raise AccessDeniedException where the type names whose workers there are, and whoever asks is none.

    A service principal has no access key, so a type that names only such ones is for no key at all.
    """
    worker = type_["executor"].get("worker") or {}
    accounts = worker.get("pollingAccounts") or ()
    if not accounts and not worker.get("pollingServicePrincipals"):
        return
    if ask.account and ask.account in accounts:
        return
    whose = (
        f"account {ask.account}" if ask.account else "no account (towpath token create --account)"
    )
    said = f"User: {ask.person.name} is not authorized to work for {'/'.join(id_)}: its key is of {whose}"
    known = f", and its pollingAccounts are {', '.join(accounts) or 'none'}"
    raise WireError("AccessDeniedException", said + known)


def _refuse_strangers_of(ask: Ask, type_: str) -> None:
    """As above, of a job by its type's id; a type that was deleted counts as it was."""
    category, owner, provider, version = type_.split("/")
    id_ = (category, owner, provider, version)
    with ask.read() as connection:
        found = action_types.get(connection, id_, deleted=True)
    if found is not None:
        _refuse_strangers(ask, id_, found)
