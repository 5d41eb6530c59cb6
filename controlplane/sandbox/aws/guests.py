"""The policies that resources carry themselves: buckets, queues, topics, keys. Who owns a resource."""

from typing import Any

from controlplane.sandbox.aws import kms_keys
from controlplane.sandbox.aws.needs import bucket_of, owner_of
from controlplane.sandbox.aws.policy import Document, parse


def owner(arn: str | None, account: str) -> str:
    """Answer the account that owns a resource; the caller's own where the ARN does not say."""
    if not arn or arn == "*":
        return account
    parts = arn.split(":", 5)
    if parts[2] == "s3":
        return owner_of(parts[5].partition("/")[0]) or account
    return parts[4] or account


def documents(arn: str | None) -> list[Document] | None:
    """Answer the resource's own policies; None for kinds of resource that we know none of."""
    if not arn or arn == "*":
        return None
    parts = arn.split(":", 5)
    reader = READERS.get(parts[2])
    if reader is None:
        return None
    text = reader(parts)
    return [parse(text)] if text else []


def _bucket(parts: list[str]) -> str:
    bucket = bucket_of(parts[5].partition("/")[0])
    policy: Any = getattr(bucket, "policy", None) or ""
    return policy.decode() if isinstance(policy, bytes) else str(policy)


def _queue(parts: list[str]) -> str:
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[parts[4]][parts[3]].queues.get(parts[5])
    return str(getattr(queue, "policy", None) or "")


def _topic(parts: list[str]) -> str:
    from moto.sns.models import sns_backends

    topic = sns_backends[parts[4]][parts[3]].topics.get(":".join(parts))
    # moto's default policy of a topic lets everybody in under a condition on the owner.
    return str(topic.policy) if topic is not None else ""


READERS = {"s3": _bucket, "sqs": _queue, "sns": _topic, "kms": kms_keys.policy}
