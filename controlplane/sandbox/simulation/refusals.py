"""What AWS's answers look like from inside botocore when they are no good ones."""

from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError


def operation_of(method: str) -> str:
    """The operation of a boto3 method: create_deployment -> CreateDeployment."""
    return "".join(part.title() for part in method.split("_"))


class RefusalError(Exception):
    """A vendor refuses: becomes a ClientError at the door."""

    def __init__(self, code: str, message: str = "made up", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


def client_error(refusal: RefusalError, method: str, **headers: str) -> ClientError:
    """As botocore raises it."""
    told: Any = {
        "Error": {"Code": refusal.code, "Message": refusal.message},
        "ResponseMetadata": {"HTTPStatusCode": refusal.status, "HTTPHeaders": headers},
    }
    return ClientError(told, operation_of(method))


JSON_PROTOCOL = frozenset({"codedeploy"})


def unparsable(service: str) -> dict[str, Any]:
    """A body that broke off: of JSON botocore makes an answer without its fields, of XML an error."""
    if service in JSON_PROTOCOL:
        return {"message": '{"deplo', "ResponseMetadata": {"HTTPStatusCode": 200}}
    raise ResponseParserError("Unable to parse response (no element found), invalid XML received")
