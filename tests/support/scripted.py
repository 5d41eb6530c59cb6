"""boto3 clients whose answers a test writes as functions, checked against botocore's own shapes.

Where botocore's Stubber wants every call in its order, these answer whatever is asked, as often as
it is asked. A function gets the request's parameters; it gives the answer, a Refusal, or raises.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import validate_parameters

from tests.support.clients import client

OK = 200
Operation = Callable[[dict[str, Any]], "Mapping[str, Any] | Refusal"]


@dataclass(frozen=True)
class Refusal:
    """An error that the vendor answers."""

    code: str
    message: str = "made up"
    status: int = 400


DENIED = Refusal("AccessDeniedException", "not authorized to perform this", 403)
THROTTLED = Refusal("ThrottlingException", "Rate exceeded")


def scripted(service: str, **operations: Operation) -> Any:
    """A client of `service` with these operations (named as boto3's methods are)."""
    made = client(service)

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, Any]:
        given = operations[xform_name(model.name)](context["asked"])
        if isinstance(given, Refusal):
            error = {"Code": given.code, "Message": given.message}
            told = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": given.status}}
            return _http(given.status), told
        if model.output_shape is not None:
            validate_parameters(dict(given), model.output_shape)
        return _http(OK), {**given, "ResponseMetadata": {"HTTPStatusCode": OK}}

    made.meta.events.register_first("before-parameter-build.*.*", remember)
    made.meta.events.register_first("before-call.*.*", answer)
    return made


def _http(status: int) -> AWSResponse:
    return AWSResponse("", status, HTTPHeaders(), None)
