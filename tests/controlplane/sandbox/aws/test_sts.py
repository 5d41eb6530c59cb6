"""AssumeRole asks the role's trust policy, in whatever account the role lives."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from controlplane.clock import ManualClock
from tests.controlplane.sandbox.aws.documents import allow, trust
from tests.controlplane.sandbox.conftest import ClientOf

NAMES = {"RoleSessionName": "towpath"}


@pytest.fixture
def role(client: ClientOf, account: str, other_account: str) -> str:
    """Make a role in `account` that `other_account` may assume with the ExternalId "right"."""
    document = trust(other_account, ExternalId="right")
    iam = client("iam", account)
    return str(iam.create_role(RoleName="Deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"])


@pytest.fixture
def user(client: ClientOf, other_account: str) -> dict[str, Any]:
    """Make a user in `other_account` that may assume any role, and answer its key."""
    iam = client("iam", other_account)
    iam.create_user(UserName="towpath")
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    iam.put_user_policy(UserName="towpath", PolicyName="p", PolicyDocument=allow(actions))
    key: dict[str, Any] = iam.create_access_key(UserName="towpath")["AccessKey"]
    return key


def refusal(call: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**NAMES, **given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_right_external_id_gives_a_session_in_the_target_account(
    client: ClientOf, user: dict[str, Any], role: str, account: str
) -> None:
    answer = client("sts", credentials=user).assume_role(
        RoleArn=role, ExternalId="right", SourceIdentity="ana", **NAMES
    )
    who = client("sts", credentials=answer["Credentials"]).get_caller_identity()
    assert answer["SourceIdentity"] == "ana"
    assert who["Account"] == account
    assert who["Arn"] == f"arn:aws:sts::{account}:assumed-role/Deploy/towpath"


@pytest.mark.parametrize("given", [{}, {"ExternalId": "wrong"}])
def test_a_missing_or_wrong_external_id_is_denied(
    client: ClientOf, user: dict[str, Any], role: str, given: dict[str, str]
) -> None:
    code, message = refusal(client("sts", credentials=user).assume_role, RoleArn=role, **given)
    assert code == "AccessDenied"
    assert f"is not authorized to perform: sts:AssumeRole on resource: {role}" in message


def test_a_principal_that_the_role_does_not_trust_is_denied(client: ClientOf, role: str) -> None:
    stranger = client("sts", "699999999999").assume_role
    assert refusal(stranger, RoleArn=role, ExternalId="right")[0] == "AccessDenied"


def test_a_role_that_is_not_there_is_denied_as_one_that_does_not_trust(
    client: ClientOf, user: dict[str, Any], account: str
) -> None:
    arn = f"arn:aws:iam::{account}:role/Nobody"
    assert refusal(client("sts", credentials=user).assume_role, RoleArn=arn)[0] == "AccessDenied"


def test_the_callers_own_policy_must_allow_it_too(
    client: ClientOf, user: dict[str, Any], role: str, other_account: str
) -> None:
    client("iam", other_account).delete_user_policy(UserName="towpath", PolicyName="p")
    code, message = refusal(
        client("sts", credentials=user).assume_role, RoleArn=role, ExternalId="right"
    )
    assert code == "AccessDenied"
    assert "no identity-based policy allows the sts:AssumeRole action" in message


def test_session_tags_need_permission_to_tag(
    client: ClientOf, user: dict[str, Any], role: str, other_account: str
) -> None:
    policy = {"PolicyName": "p", "PolicyDocument": allow("sts:AssumeRole")}
    client("iam", other_account).put_user_policy(UserName="towpath", **policy)
    tags = [{"Key": "pipeline", "Value": "shop"}]
    call = client("sts", credentials=user).assume_role
    assert "sts:TagSession" in refusal(call, RoleArn=role, ExternalId="right", Tags=tags)[1]


def test_a_session_may_not_last_longer_than_its_role_allows(
    client: ClientOf, user: dict[str, Any], role: str
) -> None:
    call = client("sts", credentials=user).assume_role
    code, message = refusal(call, RoleArn=role, ExternalId="right", DurationSeconds=3601)
    assert (code, "MaxSessionDuration" in message) == ("ValidationError", True)


def test_a_chained_session_lasts_an_hour_at_most(
    client: ClientOf, account: str, user: dict[str, Any], role: str
) -> None:
    first = client("sts", credentials=user).assume_role(RoleArn=role, ExternalId="right", **NAMES)
    iam = client("iam", account)
    iam.put_role_policy(RoleName="Deploy", PolicyName="p", PolicyDocument=allow("sts:*"))
    iam.create_role(
        RoleName="Next", AssumeRolePolicyDocument=trust(account), MaxSessionDuration=43200
    )
    chained = client("sts", credentials=first["Credentials"]).assume_role
    arn = f"arn:aws:iam::{account}:role/Next"
    assert "role chaining" in refusal(chained, RoleArn=arn, DurationSeconds=7200)[1]


def test_an_expired_session_is_refused_in_the_words_of_each_protocol(
    client: ClientOf, by_hand: ManualClock, user: dict[str, Any], role: str
) -> None:
    answer = client("sts", credentials=user).assume_role(
        RoleArn=role, ExternalId="right", DurationSeconds=900, **NAMES
    )
    by_hand.advance(901)
    codes = {}
    for service, operation in (
        ("sns", "list_topics"),
        ("s3", "list_buckets"),
        ("kms", "list_keys"),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(client(service, credentials=answer["Credentials"]), operation)()
        codes[service] = caught.value.response["Error"]["Code"]
    assert codes == {"sns": "ExpiredToken", "s3": "ExpiredToken", "kms": "ExpiredTokenException"}


def test_a_session_needs_its_token(client: ClientOf, user: dict[str, Any], role: str) -> None:
    answer = client("sts", credentials=user).assume_role(RoleArn=role, ExternalId="right", **NAMES)
    without = {"AccessKeyId": answer["Credentials"]["AccessKeyId"], "SessionToken": "made up"}
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client("sts", credentials=without).get_caller_identity()
