"""What every driver does at AWS's door: turn refusals into sentences, and name its scope.

Trying again is the engine's business; a driver only says whether it can help.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from accounts.base import Scope
from accounts.errors import explain
from accounts.models import Account
from controlplane.actions.base import ActionError, Artifact, Task

LONGEST = 600
KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+")
"""What IAM knows a key by; it knows no aliases."""


def code_of(error: ClientError) -> str:
    """Read the vendor's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Read the vendor's own words, bounded."""
    return str(error.response.get("Error", {}).get("Message", ""))[:LONGEST]


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Turn what botocore raises into an ActionError: "Could not <doing>: ...".

    doing names the thing and the account: "start a deployment of shop/shop-prod in prod".
    """
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        told = explain(error, doing)
        raise ActionError(
            str(told),
            permanent=told.permanent,
            retry_after=told.retry_after,
            postponed=told.postponed,
            refused=told.refused,
        ) from error


def told(answer: Mapping[str, Any], key: str) -> Any:
    """Read a field that AWS always sends, also where it is empty.

    Of a JSON body that broke off botocore makes an answer without fields. Taken at its word it would
    say "there are none", and what is there already would be started again.
    """
    if key not in answer:
        raise ActionError(f"AWS's answer has no {key}: it broke off, and says nothing.")
    return answer[key]


def scope_of(task: Task, resources: Sequence[str] = ()) -> Scope:
    """Say on whose behalf a task acts, narrowed to what it touches.

    Artifacts may lie in the pipeline's own store, and what is restored in one that it named once.
    """
    back = task.configuration.get("RevisionLocation", "").removeprefix("s3://").partition("/")[0]
    stored = "" if task.store is None else task.store.bucket
    key = "" if task.store is None or back not in ("", stored) else task.store.key
    return Scope(
        task.pipeline,
        task.stage,
        task.execution,
        resources=tuple(resources),
        buckets=tuple(dict.fromkeys(one for one in (stored, back) if one)),
        key=key if KEY_ARN.fullmatch(key) else "",
    )


def partition_of(account: Account) -> str:
    """Name the partition an account is in: aws, aws-cn, aws-us-gov."""
    return account.roles.deploy.split(":")[1]


def need(task: Task, key: str) -> str:
    """Read a configuration value that must be there."""
    value = task.configuration.get(key, "")
    if not value:
        raise ActionError(
            f"Action {task.action} has no {key} in its configuration.", permanent=True
        )
    return value


def one_input(task: Task) -> Artifact:
    """Answer the one input artifact of a task."""
    if len(task.inputs) != 1:
        raise ActionError(
            f"Action {task.action} takes one input artifact and was given {len(task.inputs)}.",
            permanent=True,
        )
    return task.inputs[0]


def output_name(task: Task) -> str:
    """Name the output artifact, "" where the action names none."""
    return task.outputs[0] if task.outputs else ""
