"""An answer that broke off in its middle is no answer, and is not repeated in an error."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import IncompleteReadError

from accounts import whole
from tests.support.clients import client


class Raw:
    """The bytes that arrived."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def answering(service: str, body: bytes, promised: int) -> Any:
    """A client whose calls get this body, of so many bytes as promised."""
    made = client(service)
    headers = HTTPHeaders()
    headers["Content-Length"] = str(promised)
    answer = AWSResponse("", 200, headers, Raw(body))
    made.meta.events.register_first("before-send.*.*", lambda **_: answer)
    whole.attach(made)
    return made


LISTED = b'{"deployments": ["d-1"]}'


def test_what_broke_off_is_no_answer() -> None:
    codedeploy = answering("codedeploy", LISTED[:12], len(LISTED))
    with pytest.raises(IncompleteReadError):
        codedeploy.list_deployments()


def test_a_secret_that_broke_off_is_not_in_the_error() -> None:
    body = b"<AssumeRoleResponse><SecretAccessKey>hush"
    with pytest.raises(IncompleteReadError) as caught:
        answering("sts", body, 500).get_caller_identity()
    assert "hush" not in str(caught.value)


def test_what_is_whole_is_an_answer() -> None:
    codedeploy = answering("codedeploy", LISTED, len(LISTED))
    assert codedeploy.list_deployments()["deployments"] == ["d-1"]


def test_the_answer_to_a_head_has_no_body() -> None:
    s3 = answering("s3", b"", 5)
    assert s3.head_object(Bucket="bucket", Key="k")["ContentLength"] == 5
