"""What botocore raised, as one sentence with the mend; and whether trying again can help."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from accounts.base import AccountError
from accounts.codes import PASSING, REFUSED, RENEWED, SKEWED, UNKNOWN_SESSION
from accounts.models import Purpose
from accounts.redact import redacted
from accounts.statements import TEMPLATE, granting

ACTIONS: Mapping[str, str] = {
    # Operations whose IAM action has another name.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    "CompleteMultipartUpload": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "Invoke": "lambda:InvokeFunction",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListObjectsV2": "s3:ListBucket",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
}

DENIAL = re.compile(
    r"(?:User: (?P<who>\S+) )?is not authorized to perform: (?P<action>[a-z0-9-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?(?P<why>.*)",
    re.DOTALL,
)
ROLE = re.compile(r":(?:assumed-role|role)/(?:[^/]+/)*?Towpath(Watch|Deploy|Rollback)(?:/|$)")

UNREADABLE = frozenset({"SignatureDoesNotMatch"})
"""Their messages repeat the signed request, with the session token in it."""

CODES: Mapping[str, str] = {
    "ExpiredToken": "the session has expired; it is fetched anew",
    "ExpiredTokenException": "the session has expired; it is fetched anew",
    "InvalidClientTokenId": "AWS does not know Towpath's own credentials; give it valid ones",
    "UnrecognizedClientException": "AWS does not know these credentials; give Towpath valid ones",
    "RegionDisabledException": "STS is not active in that region; enable the region in the account",
    "PackedPolicyTooLarge": "session policy and tags are too large; shorten the pipeline's names",
}

CLOCK = "Towpath's clock is off, or its secret key wrong; set the clock by NTP"
SERVER_FAULT = 500
TOO_MANY = 429

Saying = Callable[[Exception], str]
OTHERS: tuple[tuple[type[Exception], bool, Saying], ...] = (
    (NoCredentialsError, True, lambda _: "Towpath has no AWS credentials of its own; give it some"),
    (
        PartialCredentialsError,
        True,
        lambda _: "Towpath's own AWS credentials are incomplete; give key and secret",
    ),
    (ParamValidationError, True, lambda error: f"the request is wrong: {redacted(str(error))}"),
    (
        EndpointConnectionError,
        False,
        lambda error: f"{redacted(str(error))} Check the network and the region",
    ),
    (ConnectTimeoutError, False, lambda _: "AWS could not be reached in time; check the network"),
    (ReadTimeoutError, False, lambda _: "AWS did not answer in time; it may have done it"),
    (ResponseParserError, False, lambda _: "AWS's answer broke off; it may have done it"),
    (HTTPClientError, False, lambda error: f"the connection broke ({type(error).__name__})"),
)
"""What is no answer of AWS: permanent, and how it is said. The first that fits is taken."""


def explain(error: Exception, what: str) -> AccountError:
    """Turn an error into a sentence: "Could not <what>: ...". An AccountError stays as it is.

    what: "start a deployment of shop/shop-prod in prod".
    """
    if isinstance(error, AccountError):
        return error
    if isinstance(error, ClientError):
        return _answered(error, what)
    for kind, permanent, said in OTHERS:
        if isinstance(error, kind):
            return AccountError(f"Could not {what}: {said(error)}.", permanent=permanent)
    text = f"Could not {what}: {type(error).__name__}: {redacted(str(error))}"
    return AccountError(text, permanent=not isinstance(error, BotoCoreError | OSError))


def is_passing(error: ClientError) -> bool:
    """Answer True where the same call may succeed later: throttled, expired, or AWS's own fault."""
    about: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 0))
    passes = status >= SERVER_FAULT or status == TOO_MANY or RENEWED in about
    return passes or _code(error) in PASSING


def action_of(error: ClientError) -> str:
    """Answer the IAM action that a refused call needs, "" where we do not know it."""
    denial = DENIAL.search(_message(error))
    return denial["action"] if denial else _named_action(error.operation_name)


def _answered(error: ClientError, what: str) -> AccountError:
    code, said = _code(error), redacted(_message(error))
    if code in REFUSED:
        text = _refused(error, what)
    elif code in SKEWED:
        text = f"Could not {what}: {CLOCK} ({code}{_times(error)})."
    elif code in CODES:
        text = f"Could not {what}: {CODES[code]} ({code})."
    else:
        text = f"Could not {what}: {code or 'AWS refused it'}: {said or 'no reason given'}"
    if RENEWED in error.response.get("ResponseMetadata", {}):
        text += " The session may have been revoked: it is tried once more with a new one."
    told = AccountError(text, permanent=not is_passing(error))
    told.refused = code in REFUSED or code in UNKNOWN_SESSION
    return told


def _times(error: ClientError) -> str:
    """Name AWS's own time, by which a clock can be set."""
    headers: Mapping[str, str] = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    at = headers.get("date", "")
    return f"; AWS's own time is {redacted(at)}" if at else ""


def _refused(error: ClientError, what: str) -> str:
    """Name who, which action, on what, and the statement that would grant it."""
    denial = DENIAL.search(_message(error))
    action = action_of(error)
    who = redacted((denial and denial["who"]) or "Towpath's role")
    on = f" on {redacted(denial['resource'])}" if denial and denial["resource"] else ""
    why = redacted(denial["why"]).strip(" .") if denial else ""
    because = f" ({why})" if why else ""
    text = f"May not {what}: {who} lacks {action or error.operation_name}{on}{because}; "
    return text + _mend(action, who, why)


def _mend(action: str, who: str, why: str) -> str:
    if "session policy" in why or "session policies" in why:
        return "the session was narrowed to other resources: name this one in the action."
    if "service control policy" in why or "explicit deny" in why:
        return "a policy denies it explicitly: ask the account's administrator."
    role = ROLE.search(who)
    sids = granting(action, Purpose(role[1].lower()) if role else None)
    if not sids:
        return f"no statement of {TEMPLATE} grants it: add one to the role."
    named = " or ".join(sids)
    return f"{named} in {TEMPLATE} grants it: update the account's stack."


def _named_action(operation: str) -> str:
    """Find the action of an operation, where the answer did not name it."""
    if operation in ACTIONS:
        return ACTIONS[operation]
    services = ("codedeploy", "cloudwatch", "synthetics", "inspector2", "s3", "ecr", "kms", "sns")
    more = ("cloudformation", "codepipeline", "codestar-notifications", "lambda", "sts")
    named = (f"{service}:{operation}" for service in (*services, *more))
    return next((action for action in named if granting(action)), "")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _message(error: ClientError) -> str:
    if _code(error) in UNREADABLE:
        return ""
    return str(error.response.get("Error", {}).get("Message", ""))
