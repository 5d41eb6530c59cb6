"""Seeding of the tools account: where releases come from, who Towpath is, whom it tells."""

import json
from typing import Any

from controlplane.sandbox.seed import Clients
from controlplane.sandbox.world import (
    ACCOUNTS,
    AUDIT_QUEUE,
    EVENT_QUEUE,
    REGION,
    SOURCE_BUCKET,
    SOURCE_KEY,
    TOOLS_ACCOUNT,
    TOPIC,
    USER,
)

VERSION = "2012-10-17"


def seed_source(client: Clients) -> dict[str, str]:
    """Make the versioned source bucket, and EventBridge's way from it to a queue; answer URLs."""
    s3 = client("s3")
    place: Any = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=SOURCE_BUCKET, CreateBucketConfiguration=place)
    s3.put_bucket_versioning(Bucket=SOURCE_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(Bucket=SOURCE_BUCKET, Policy=json.dumps(_source_policy()))
    s3.put_bucket_notification_configuration(
        Bucket=SOURCE_BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = TOOLS_ACCOUNT.arn("sqs", EVENT_QUEUE)
    url = client("sqs").create_queue(
        QueueName=EVENT_QUEUE,
        Attributes={"Policy": json.dumps(_from_service("events", queue))},
    )["QueueUrl"]
    events = client("events")
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [SOURCE_BUCKET]}, "object": {"key": [SOURCE_KEY]}},
    }
    events.put_rule(Name=EVENT_QUEUE, EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule=EVENT_QUEUE, Targets=[{"Id": "towpath", "Arn": queue}])
    return {EVENT_QUEUE: url}


def seed_topic(client: Clients) -> dict[str, str]:
    """Make the topic that Towpath tells, and a queue that hears it; answer the queue's URL."""
    topic = client("sns").create_topic(Name=TOPIC)["TopicArn"]
    queue = TOOLS_ACCOUNT.arn("sqs", AUDIT_QUEUE)
    url = client("sqs").create_queue(
        QueueName=AUDIT_QUEUE,
        Attributes={"Policy": json.dumps(_from_service("sns", queue))},
    )["QueueUrl"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    return {AUDIT_QUEUE: url}


def seed_user(client: Clients) -> dict[str, str]:
    """Make Towpath's own identity: it may assume its roles and read its queue, and no more."""
    iam = client("iam")
    user = iam.create_user(UserName=USER)["User"]
    iam.put_user_policy(
        UserName=USER, PolicyName=USER, PolicyDocument=json.dumps(_towpath_policy())
    )
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    return {
        "arn": user["Arn"],
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
    }


def _towpath_policy() -> dict[str, Any]:
    roles = [account.arn("iam", "role/Towpath*", region="") for account in ACCOUNTS]
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                "Resource": roles,
            },
            {
                "Effect": "Allow",
                "Action": [
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                ],
                "Resource": TOOLS_ACCOUNT.arn("sqs", EVENT_QUEUE),
            },
        ],
    }


def _source_policy() -> dict[str, Any]:
    others = [account.arn("iam", "root", region="") for account in ACCOUNTS[1:]]
    bucket = f"arn:aws:s3:::{SOURCE_BUCKET}"
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "TheOtherAccountsCopyFromHere",
                "Effect": "Allow",
                "Principal": {"AWS": others},
                "Action": ["s3:GetObject*", "s3:ListBucket", "s3:GetBucketVersioning"],
                "Resource": [bucket, f"{bucket}/*"],
            }
        ],
    }


def _from_service(service: str, queue: str) -> dict[str, Any]:
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
            }
        ],
    }
