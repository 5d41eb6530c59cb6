"""Events and messages reach queues and topics of other accounts."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.aws import emit
from tests.controlplane.sandbox.aws.documents import allow
from tests.controlplane.sandbox.conftest import REGION, ClientOf


@pytest.fixture
def queue(client: ClientOf, other_account: str) -> str:
    """Make a queue in `other_account` and answer its URL."""
    return str(client("sqs", other_account).create_queue(QueueName="news")["QueueUrl"])


@pytest.fixture
def queue_arn(queue: str, other_account: str) -> str:
    return f"arn:aws:sqs:{REGION}:{other_account}:{queue.rpartition('/')[2]}"


def bodies(sqs: Any, url: str) -> list[Any]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]


def test_a_topic_delivers_to_another_accounts_queue(
    client: ClientOf, account: str, other_account: str, queue: str, queue_arn: str
) -> None:
    sns = client("sns", account)
    topic = sns.create_topic(Name="releases")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sns.publish(TopicArn=topic, Message="hello")
    assert [b["Message"] for b in bodies(client("sqs", other_account), queue)] == ["hello"]


def test_an_event_reaches_another_accounts_queue_with_its_account(
    client: ClientOf, account: str, other_account: str, queue: str, queue_arn: str
) -> None:
    events = client("events", account)
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["towpath.test"]}))
    gone = queue_arn.replace("news", "gone")
    targets = [{"Id": "1", "Arn": gone}, {"Id": "2", "Arn": queue_arn}]
    events.put_targets(Rule="all", Targets=targets)
    emit.event(account, REGION, "towpath.test", "Test", {"n": 1}, ["arn:aws:x"])
    (event,) = bodies(client("sqs", other_account), queue)
    assert (event["account"], event["detail"], event["resources"]) == (
        account,
        {"n": 1},
        ["arn:aws:x"],
    )


def test_an_event_reaches_a_topic(
    client: ClientOf, account: str, other_account: str, queue: str, queue_arn: str
) -> None:
    sns, events = client("sns", account), client("events", account)
    topic = sns.create_topic(Name="releases")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["towpath.test"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": topic}])
    emit.event(account, REGION, "towpath.test", "Test", {"n": 2})
    (message,) = bodies(client("sqs", other_account), queue)
    assert json.loads(message["Message"])["detail"] == {"n": 2}


def test_the_event_of_an_uploaded_object_names_its_account(client: ClientOf, account: str) -> None:
    s3, sqs, events = (client(name, account) for name in ("s3", "sqs", "events"))
    url = sqs.create_queue(QueueName="sources")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{account}:sources"
    bucket = f"releases-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    events.put_rule(Name="s3", EventPattern=json.dumps({"detail-type": ["Object Created"]}))
    events.put_targets(Rule="s3", Targets=[{"Id": "1", "Arn": arn}])
    s3.put_object(Bucket=bucket, Key="shop.zip", Body=b"x")
    (event,) = bodies(sqs, url)
    assert (event["account"], event["detail"]["object"]["key"]) == (account, "shop.zip")


def test_a_foreign_queue_is_reached_by_its_url_where_its_policy_allows(
    client: ClientOf, account: str, other_account: str, queue: str, queue_arn: str
) -> None:
    iam = client("iam", account)
    iam.create_user(UserName="ana")
    iam.put_user_policy(UserName="ana", PolicyName="p", PolicyDocument=allow("sqs:*"))
    sqs = client("sqs", credentials=iam.create_access_key(UserName="ana")["AccessKey"])
    with pytest.raises(ClientError, match="no resource-based policy allows the sqs:SendMessage"):
        sqs.send_message(QueueUrl=queue, MessageBody='"hello"')
    policy = json.loads(allow("sqs:SendMessage", queue_arn))
    policy["Statement"][0]["Principal"] = {"AWS": account}
    client("sqs", other_account).set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps(policy)}
    )
    sqs.send_message(QueueUrl=queue, MessageBody='"hello"')
    assert bodies(client("sqs", other_account), queue) == ["hello"]
