"""Amazon SNS: one JSON message a note, with attributes for filter policies.

Configuration: TopicArn; Account: the registered account whose deploy role may publish to the topic;
Region (the topic's own where it is left out).
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from accounts.base import AccountError, Clients, Scope
from accounts.errors import is_passing
from accounts.models import Purpose
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.message import cut, document, encoded, headline

MAX_SUBJECT = 99  # "less than 100 characters", ASCII, no control characters
FILTERED = ("pipeline", "stage", "kind", "severity", "status")
FILTERS = (*FILTERED, "event", "account")
"""What a filter policy may ask for. event: CodePipeline's type of notification; account: any of the stage's."""

MENDS = {
    "NotFound": "Create the topic, or correct TopicArn.",
    "AuthorizationError": "Allow sns:Publish on the topic to the account's deploy role.",
    "AccessDenied": "Allow sns:Publish on the topic to the account's deploy role.",
    "KMSAccessDenied": "Allow kms:GenerateDataKey* and kms:Decrypt on the topic's key to the role.",
    "KMSDisabled": "Enable the topic's KMS key.",
    "KMSNotFound": "Give the topic a KMS key that exists.",
    "InvalidParameter": "Correct TopicArn and Region.",
}


class SnsNotifier:
    """Publishes to a topic. Has no thread."""

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def send(
        self,
        note: Note,
        configuration: Mapping[str, str],
        thread: str,  # noqa: ARG002 the contract's; this channel has none
    ) -> str:
        """Publish the note's document; answers no thread."""
        topic, account, region = _where(configuration)
        scope = Scope(pipeline=note.pipeline, resources=(topic,))
        try:
            # Publishing changes something outside, so it is not for the role that only watches.
            client = self._clients.client("sns", account, region, Purpose.DEPLOY, scope)
            client.publish(**_request(note, topic))
        except AccountError as error:
            raise NotifyError(str(error), permanent=error.permanent) from None
        except ClientError as error:
            raise _told(topic, error) from None
        except ParamValidationError:
            message = f"SNS can not take the message for {topic}. Correct TopicArn."
            raise NotifyError(message, permanent=True) from None
        except BotoCoreError as error:
            kind = type(error).__name__
            raise NotifyError(f"SNS in {region} can not be reached ({kind}).") from None
        return ""


def _where(configuration: Mapping[str, str]) -> tuple[str, str, str]:
    topic, account = configuration.get("TopicArn", ""), configuration.get("Account", "")
    found = re.fullmatch(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}", topic)
    if found is None:
        message = f"TopicArn {cut(topic, 100)!r} is not the ARN of an SNS topic. Correct it."
        raise NotifyError(message, permanent=True)
    if not account:
        message = "SNS needs an Account: name the registered account that may publish."
        raise NotifyError(message, permanent=True)
    return topic, account, configuration.get("Region") or found[1]


def _request(note: Note, topic: str) -> dict[str, Any]:
    told = document(note)
    request: dict[str, Any] = {
        "TopicArn": topic,
        "Subject": _subject(note),
        "Message": encoded(note),
        # An attribute may not be empty.
        "MessageAttributes": _attributes(note, told),
    }
    if topic.endswith(".fifo"):
        request["MessageGroupId"] = _id(note.execution)
        request["MessageDeduplicationId"] = _id(note.id)
    return request


def _attributes(note: Note, told: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: told[name] for name in FILTERED} | {"event": note.notice}
    found = {
        name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text
    }
    if note.accounts:
        listed = json.dumps(list(note.accounts))
        found["account"] = {"DataType": "String.Array", "StringValue": listed}
    return found


def _subject(note: Note) -> str:
    words = f"[{note.severity}] {headline(note)}".split()
    told = re.sub(r"[^ -~]", "?", " ".join(words))
    return told if len(told) <= MAX_SUBJECT else told[: MAX_SUBJECT - 3] + "..."


def _id(text: str) -> str:
    """Answer it where SNS takes it as an id (1 to 128 of printable ASCII), else its hash."""
    if re.fullmatch(r"[!-~]{1,128}", text):
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _told(topic: str, refusal: ClientError) -> NotifyError:
    error: Mapping[str, Any] = refusal.response.get("Error", {})
    code = str(error.get("Code", "unknown"))
    if is_passing(refusal):
        return NotifyError(f"SNS could not take the message for {topic} now: {code}.")
    mend = MENDS.get(code, "Correct what it names.")
    said = cut(str(error.get("Message", "")), 300)
    return NotifyError(
        f"SNS refused the message for {topic}: {code} ({said}). {mend}", permanent=True
    )
