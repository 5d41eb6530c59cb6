"""An SNS topic and whom it tells, made once however often it is asked for. Reads first, then changes.

A subscription whose filter policy is another one is left as it is and said: a role that may change any
subscription could silence others. https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from controlplane.notify.base import NotifyError
from controlplane.notify.sns import FILTERS

TOPIC = re.compile(r"towpath-[A-Za-z0-9_-]{1,240}")
MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
)
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
KEY = re.compile(r"[A-Za-z0-9:/_-]{1,2048}")
MAX_ADDRESS, MAX_FILTER = 2_000, 4_000
PENDING = "PendingConfirmation"

TO_DO: Mapping[str, str] = {
    "email": "open the mail of AWS Notifications to {address} and press Confirm subscription",
    "https": "have {address} visit the SubscribeURL that AWS posts to it",
    "sms": "where the account is in the SMS sandbox, verify {address} in the SNS console first",
}
"""What a person must still do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What there shall be. key: a KMS key's id or ARN, "" for none. filter_policy: attribute to values."""

    topic: str
    addresses: tuple[tuple[str, str], ...]
    key: str = ""
    filter_policy: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """state: "there", "would make", "made". to_do: for a person, "" where nothing."""

    what: str
    state: str
    to_do: str = ""


def wish(
    topic: str, addresses: Sequence[tuple[str, str]], key: str = "", filter_text: str = ""
) -> Wish:
    """Check what was asked for; ValueError with all that is wrong, each with its mend."""
    wrong = [*_wrong_topic(topic, key), *(said for one in addresses for said in _wrong(*one))]
    policy = None
    try:
        policy = _filter(filter_text)
    except ValueError as error:
        wrong.append(str(error))
    if policy is not None and not addresses:
        wrong.append("--filter is for the subscriptions of this call: name one beside it")
    if wrong:
        raise ValueError("\n".join(wrong))
    return Wish(topic, tuple(dict.fromkeys(addresses)), key, policy)


def set_up(client: Any, asked: Wish, where: str, *, dry_run: bool = False) -> Iterator[Step]:
    """Make what is missing, one step after the other. where: "arn:aws:sns:REGION:ID". Raises NotifyError."""
    arn = f"{where}:{asked.topic}"
    done = "would make" if dry_run else "made"
    try:
        attributes = _attributes(client, arn)
        if attributes is None and not dry_run:
            client.create_topic(Name=asked.topic)
        yield Step(f"topic {arn}", done if attributes is None else "there")
        if asked.key:
            same = (attributes or {}).get("KmsMasterKeyId") == asked.key
            if not same and not dry_run:
                client.set_topic_attributes(
                    TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=asked.key
                )
            yield Step(f"encryption with {asked.key}", "there" if same else done)
        known = {} if attributes is None else _subscribed(client, arn)
        for protocol, address in asked.addresses:
            yield _subscription(client, arn, (protocol, address), asked, (known, dry_run))
    except ClientError as error:
        raise _told(asked, error) from None
    except BotoCoreError as error:
        raise NotifyError(f"SNS cannot be reached ({type(error).__name__}); try again.") from None


def _subscription(
    client: Any,
    arn: str,
    address: tuple[str, str],
    asked: Wish,
    standing: tuple[Mapping[tuple[str, str], str], bool],
) -> Step:
    known, dry_run = standing
    found, what = known.get(address), f"{address[0]} to {address[1]}"
    to_do = TO_DO[address[0]].format(address=address[1])
    if found is not None and asked.filter_policy is None:
        return Step(what, "there", to_do if found == PENDING else "")
    if not dry_run:
        # Where it is there already with the same filter, this answers it and changes nothing.
        attributes = (
            {"FilterPolicy": json.dumps(asked.filter_policy)} if asked.filter_policy else {}
        )
        found_now = client.subscribe(
            TopicArn=arn, Protocol=address[0], Endpoint=address[1], Attributes=attributes,
            ReturnSubscriptionArn=True,
        )  # fmt: skip
        found = found or str(found_now["SubscriptionArn"])
    made = "would make" if dry_run else "made"
    return Step(what, "there" if address in known else made, to_do)


def _attributes(client: Any, arn: str) -> Mapping[str, str] | None:
    try:
        found: Mapping[str, str] = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NotFound", "NotFoundException"):
            return None
        raise
    return found


def _subscribed(client: Any, arn: str) -> dict[tuple[str, str], str]:
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return {
        (one["Protocol"], one["Endpoint"]): one["SubscriptionArn"]
        for page in pages
        for one in page["Subscriptions"]
    }


def _told(asked: Wish, refusal: ClientError) -> NotifyError:
    error: Mapping[str, Any] = refusal.response.get("Error", {})
    code, said = str(error.get("Code", "unknown")), str(error.get("Message", ""))[:300]
    mend = "Correct what it names, and say it again: what was made stays, and is found."
    if "different attributes" in said:
        mend = "It has another filter policy: unsubscribe it in the SNS console, and say it again."
    elif code in ("AuthorizationError", "AccessDenied", "AccessDeniedException"):
        mend = "Bring the account's stack up to date: its deploy role needs SetUpNotices."
    return NotifyError(f"SNS refused {asked.topic}: {code} ({said}). {mend}", permanent=True)


def _wrong_topic(topic: str, key: str) -> Iterator[str]:
    if not TOPIC.fullmatch(topic):
        yield (
            f"--topic {topic[:100]!r}: name it towpath- and letters, digits, - or _ (the role may make no "
            "other, and a FIFO topic tells no people)"
        )
    if key and not KEY.fullmatch(key):
        yield "--kms-key: give a key's id, ARN or alias/NAME"


def _wrong(protocol: str, address: str) -> Iterator[str]:
    shown = repr(address[:100])
    if protocol == "email" and not (MAIL.fullmatch(address) and len(address) <= MAX_ADDRESS):
        yield f"--email {shown}: give an address such as releases@example.com"
    if protocol == "sms" and not PHONE.fullmatch(address):
        yield f"--sms {shown}: give it with its country and without spaces, such as +4915112345678"
    if protocol == "https" and not _is_hook(address):
        yield f"--webhook {shown}: give a URL such as https://example.com/hook, without a password in it"


def _is_hook(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    return named and parts.scheme == "https" and plain and len(address) <= MAX_ADDRESS


def _filter(text: str) -> Mapping[str, Sequence[str]] | None:
    if not text:
        return None
    like = 'give JSON such as {"severity": ["page", "warning"], "stage": ["Prod"]}'
    try:
        found = json.loads(text) if len(text) <= MAX_FILTER else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        raise ValueError(f"--filter: {like}")
    if unknown := sorted(set(found) - set(FILTERS)):
        raise ValueError(
            f"--filter: no message has {unknown[0][:50]!r}; it has {', '.join(FILTERS)}"
        )
    if not all(_are_texts(values) for values in found.values()):
        raise ValueError(f"--filter: each attribute has a list of texts; {like}")
    return found


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(v, str) for v in values)
