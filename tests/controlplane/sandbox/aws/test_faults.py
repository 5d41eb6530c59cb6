"""What befalls calls by rule: real clients meet it, and the recorder says what was really done."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import recorder
from controlplane.sandbox.aws.fault_desk import RULES
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.aws.documents import allow
from tests.controlplane.sandbox.conftest import REGION, ClientOf, FaultsOf

Worker = Callable[[str], Any]
Session = Callable[..., dict[str, Any]]

THROTTLED: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("codedeploy", "list_applications", {}, "ThrottlingException", 400),
    ("cloudwatch", "list_metrics", {}, "Throttling", 400),
    ("s3", "list_buckets", {}, "SlowDown", 503),
    ("sns", "list_topics", {}, "Throttled", 429),
    ("sqs", "list_queues", {}, "RequestThrottled", 400),
    ("lambda", "list_functions", {}, "TooManyRequestsException", 429),
    ("inspector2", "list_findings", {}, "ThrottlingException", 429),
    ("synthetics", "describe_canaries", {}, "TooManyRequestsException", 429),
    ("sts", "get_caller_identity", {}, "Throttling", 400),
]


def refusal(call: Callable[[], Any]) -> Any:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response


def last(service: str, operation: str) -> tuple[Any, ...]:
    call = recorder.calls(service, operation)[-1]
    return call["status"], call["effect"], call["fault"]


def topics(client: ClientOf, account: str) -> int:
    return len(client("sns", account).list_topics()["Topics"])


@pytest.mark.parametrize("row", THROTTLED, ids=lambda row: row[0])
def test_each_service_throttles_in_its_own_words_and_says_when_to_come_back(
    worker: Worker, faults: FaultsOf, row: tuple[str, str, dict[str, Any], str, int]
) -> None:
    service, operation, given, code, status = row
    faults({"fault": "throttle", "service": service, "retry_after": 7})
    answer = refusal(lambda: getattr(worker(service), operation)(**given))
    said = answer["ResponseMetadata"]
    assert (answer["Error"]["Code"], said["HTTPStatusCode"]) == (code, status)
    assert said["HTTPHeaders"]["retry-after"] == "7"


def test_a_throttled_call_has_no_effect_and_the_record_says_so(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "throttle", "service": "sns", "times": 1})
    refusal(lambda: worker("sns").create_topic(Name="t"))
    assert last("sns", "CreateTopic") == (429, False, "throttle")
    assert topics(client, account) == 0
    worker("sns").create_topic(Name="t")
    assert last("sns", "CreateTopic") == (200, True, "")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_a_5xx_in_the_callers_protocol(
    worker: Worker, faults: FaultsOf, status: int
) -> None:
    faults({"fault": "server_error", "status": status})
    for service, operation in (("s3", "list_buckets"), ("codedeploy", "list_applications")):
        answer = refusal(getattr(worker(service), operation))
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
        assert not answer["Error"]["Code"].isdecimal()


@pytest.mark.parametrize(("fault", "effect"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_call_that_is_hung_up_on_was_carried_out_or_was_not(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str, fault: str, effect: int
) -> None:
    faults({"fault": fault, "service": "sns", "operation": "CreateTopic", "seconds": 0})
    with pytest.raises(ConnectionClosedError):
        worker("sns").create_topic(Name="t")
    assert last("sns", "CreateTopic") == (0, bool(effect), fault)
    assert topics(client, account) == effect


def test_a_call_that_hangs_runs_into_the_clients_time_out(
    aws: Server, session: Session, faults: FaultsOf
) -> None:
    faults({"fault": "timeout_after", "service": "sns"})
    known = session(allow("*"))
    impatient = boto3.client(
        "sns",
        REGION,
        endpoint_url=aws.url,
        aws_access_key_id=known["AccessKeyId"],
        aws_secret_access_key="secret",
        aws_session_token=known["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
    )
    with pytest.raises(ReadTimeoutError):
        impatient.create_topic(Name="t")
    impatient.close()
    assert last("sns", "CreateTopic") == (0, True, "timeout_after")


def test_an_answer_breaks_off_in_its_middle_though_the_call_was_carried_out(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "truncated", "service": "sns"})
    with pytest.raises(ResponseParserError):
        worker("sns").create_topic(Name="t")
    assert last("sns", "CreateTopic") == (200, True, "truncated")
    assert topics(client, account) == 1


def test_a_stream_that_breaks_off_is_told_when_it_is_read(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str
) -> None:
    s3, bucket = client("s3", account), f"torn-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    faults({"fault": "truncated", "service": "s3", "operation": "GetObject"})
    body = worker("s3").get_object(Bucket=bucket, Key="k")["Body"]
    with pytest.raises(ResponseStreamingError):
        body.read()


def test_credentials_expire_before_their_time(worker: Worker, faults: FaultsOf) -> None:
    faults({"fault": "expired_credentials", "times": 2})
    assert refusal(worker("sts").get_caller_identity)["Error"]["Code"] == "ExpiredToken"
    code = refusal(worker("codedeploy").list_applications)["Error"]["Code"]
    assert code == "ExpiredTokenException"
    worker("codedeploy").list_applications()


def test_sessions_from_before_a_revocation_are_denied_and_newer_ones_are_not(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str
) -> None:
    old = worker("codedeploy")
    faults({"fault": "revoked_credentials", "account": account})
    error = refusal(old.list_applications)["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"].endswith("with an explicit deny in an identity-based policy")
    arn = f"arn:aws:iam::{account}:role/Worker"
    new = client("sts", account).assume_role(RoleArn=arn, RoleSessionName="new")["Credentials"]
    client("codedeploy", credentials=new).list_applications()


def test_access_is_denied_in_one_account_and_not_in_another(
    client: ClientOf, worker: Worker, faults: FaultsOf, account: str, other_account: str
) -> None:
    faults({"fault": "access_denied", "account": other_account})
    worker("codedeploy").list_applications()
    faults({"fault": "access_denied", "account": account})
    error = refusal(worker("codedeploy").list_applications)["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert "because no identity-based policy allows the codedeploy:List" in error["Message"]
    client("codedeploy", account).list_applications()


def test_assuming_a_role_counts_as_a_call_to_the_account_of_the_role(
    worker: Worker, faults: FaultsOf, other_account: str
) -> None:
    faults({"fault": "throttle", "service": "sts", "account": other_account})
    worker("sts").get_caller_identity()
    arn = f"arn:aws:iam::{other_account}:role/Worker"
    answer = refusal(lambda: worker("sts").assume_role(RoleArn=arn, RoleSessionName="again"))
    assert answer["Error"]["Code"] == "Throttling"


def hits(worker: Worker, calls: int) -> str:
    """Which calls were hit: "-x--"."""
    sts, told = worker("sts"), ""
    for _ in range(calls):
        try:
            sts.get_caller_identity()
            told += "-"
        except ClientError:
            told += "x"
    return told


def test_the_same_seed_and_the_same_calls_give_the_same_faults(
    worker: Worker, faults: FaultsOf
) -> None:
    rule = {"fault": "throttle", "service": "sts", "probability": 0.5}
    seen = []
    for seed in (1, 1, 2):
        faults(rule, seed=seed)
        seen.append(hits(worker, 20))
    assert seen[0] == seen[1] != seen[2]
    assert set(seen[0]) == set("x-")


def test_a_rule_lets_some_pass_and_hits_so_often_and_counts_both(
    worker: Worker, faults: FaultsOf
) -> None:
    faults({"fault": "throttle", "service": "sts", "after": 2, "times": 3})
    assert hits(worker, 8) == "--xxx---"
    (told,) = RULES.document()["rules"]
    assert (told["matched"], told["hits"]) == (5, 3)


def test_a_rule_is_on_within_its_window(
    by_hand: ManualClock, worker: Worker, faults: FaultsOf
) -> None:
    faults({"fault": "throttle", "service": "sts", "begins": 10, "ends": 20})
    told = ""
    for _ in range(4):
        told += hits(worker, 1)
        by_hand.advance(6)
    assert told == "--xx"


@pytest.mark.parametrize(
    ("seconds", "service", "code"),
    [
        (400, "sts", "SignatureDoesNotMatch"),
        (-400, "codedeploy", "InvalidSignatureException"),
        (1000, "s3", "RequestTimeTooSkewed"),
    ],
)
def test_a_clock_that_jumps_far_makes_signatures_wrong(
    worker: Worker, faults: FaultsOf, seconds: float, service: str, code: str
) -> None:
    calls = {"sts": "get_caller_identity", "codedeploy": "list_applications", "s3": "list_buckets"}
    faults({"fault": "clock_jumps", "seconds": seconds})
    assert refusal(getattr(worker(service), calls[service]))["Error"]["Code"] == code


def test_a_clock_that_jumps_a_little_moves_what_aws_says_of_time(
    worker: Worker, faults: FaultsOf, account: str
) -> None:
    made = []
    for jump in (0, 200):
        faults({"fault": "clock_jumps", "seconds": jump})
        arn = f"arn:aws:iam::{account}:role/Worker"
        given = worker("sts").assume_role(RoleArn=arn, RoleSessionName="again")
        made.append(given["Credentials"]["Expiration"])
    assert 200 <= (made[1] - made[0]).total_seconds() < 260


def test_nobody_hangs_by_a_rule_that_is_gone(faults: FaultsOf) -> None:
    told = faults({"fault": "timeout_after"}, {"fault": "throttle"})
    held = next(iter(RULES._rules))
    assert RULES.clear(told["rules"][0]["id"]) == 1
    assert held.gone.is_set()
    assert [each["fault"] for each in RULES.document()["rules"]] == ["throttle"]
