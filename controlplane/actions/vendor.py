"""What every driver does at AWS's door: turn refusals into sentences, and name its scope.

Trying again is the engine's business; a driver only says whether it can help.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from accounts.base import Scope
from accounts.models import Account
from controlplane.actions.base import ActionError, Artifact, Task

PASSING = frozenset(
    {
        # https://docs.aws.amazon.com/awsservices/latest/APIReference/CommonErrors.html
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KmsException",
        "KmsThrottled",
        "LimitExceededException",
        "OperationAborted",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "RequestTimeTooSkewed",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        # The session is fetched anew before the next try.
        "ExpiredToken",
        "ExpiredTokenException",
    }
)
"""Error codes that may be gone the next time."""

REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
)
"""The role lacks a statement. HEAD answers carry no body, so S3 can say only 403 there."""

SERVER_FAULT = 500
MESSAGE = 600


def code_of(error: ClientError) -> str:
    """Read the vendor's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Read the vendor's own words, bounded."""
    return str(error.response.get("Error", {}).get("Message", ""))[:MESSAGE]


def is_passing(error: ClientError) -> bool:
    """Say whether the same call may be answered later: throttled, or the vendor's own fault."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return code_of(error) in PASSING or status >= SERVER_FAULT


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Turn what botocore raises into an ActionError: "could not <doing>: ...".

    doing names the thing and the account: "start a deployment of shop/shop-prod in prod".
    """
    try:
        yield
    except ClientError as error:
        raise refusal(doing, error) from error
    except ParamValidationError as error:
        raise ActionError(f"Could not {doing}: {error}"[:MESSAGE], permanent=True) from error
    except BotoCoreError as error:
        raise ActionError(
            f"Could not {doing}: {type(error).__name__}: {error}"[:MESSAGE]
        ) from error


def refusal(doing: str, error: ClientError) -> ActionError:
    """Tell a ClientError as a sentence, with the mend where the role is what is missing."""
    code, said = code_of(error), message_of(error)
    if code in REFUSED:
        return ActionError(
            f"May not {doing}: {error.operation_name} was refused ({said or code}); "
            "let the account's role do it, `towpath doctor` names the statement.",
            permanent=True,
        )
    text = f"Could not {doing}: {code}: {said}"
    return ActionError(text, permanent=not is_passing(error))


def scope_of(task: Task, resources: Sequence[str] = ()) -> Scope:
    """Say on whose behalf a task acts, narrowed to what it touches."""
    return Scope(task.pipeline, task.stage, task.execution, resources=tuple(resources))


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
