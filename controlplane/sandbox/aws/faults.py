"""How the sandbox refuses: in AWS's words, in the protocol of the caller."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from moto.core import errors
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model


class Fault(ServiceException):  # type: ignore[misc]  # moto ships no types that mypy follows
    """An error of a service, by its own name: `Fault("ResourceNotFoundException", "...")`."""


def _silent(*_arguments: Any, **_named: Any) -> None:
    """Say nothing."""


# moto warns of every code that is not in botocore's model; AWS has many (AccessDenied is one).
errors.warn = _silent


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Refusal(Exception):  # noqa: N818 it is an answer, not a failure
    """The door's answer to a call that goes no further: a code, a sentence, an HTTP status.

    headers: what the answer carries beyond what every refusal does.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers


TEXT_TYPES = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}


def render(
    service: str, protocol: str, operation: str, refusal: Refusal
) -> tuple[int, dict[str, str], bytes]:
    """Answer status, headers and body of a refusal, as `service` would write it.

    operation: "" where it is not known.
    """
    model = get_service_model(service)
    known = operation in model.operation_names
    shape = model.operation_model(operation) if known else OperationModel({}, model)
    serializer = get_serializer_class(service, protocol)(operation_model=shape)
    answer: dict[str, Any] = serializer.serialize(Fault(refusal.code, refusal.message))
    body = answer["body"]
    headers = {name: str(value) for name, value in answer["headers"].items()}
    headers |= refusal.headers
    headers.setdefault("Content-Type", TEXT_TYPES.get(protocol, "text/xml"))
    return refusal.status, headers, body.encode() if isinstance(body, str) else body
