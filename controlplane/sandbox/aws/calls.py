"""Reads a request as AWS would: whose key, which service and region, which operation with what.

moto's routers and parsers do it by botocore's models, before moto itself sees the request.
"""

import gzip
import io
import re
import zlib
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import BackendRequest

from controlplane.sandbox.aws.faults import Refusal

MAX_BODY = 256 << 20
MAX_INFLATED = 16 << 20

MODELS = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "elasticloadbalancing": "elbv2",
    "states": "stepfunctions",
}
"""botocore's name of a service where the signature says another."""

SCOPE = r"([A-Z0-9]{16,128})/\d{8}/([a-z0-9-]{1,40})/([a-z0-9-]{1,64})/aws4_request"
HEADER = re.compile(rf"AWS4-HMAC-SHA256 Credential={SCOPE},.*", re.DOTALL)
QUERY = re.compile(SCOPE)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a client. service is botocore's name; key is "" where it is not signed.

    problem: why the parameters can not be read, "" where they can.
    """

    service: str
    operation: str
    protocol: str
    region: str
    key: str
    token: str
    parameters: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def read(environ: dict[str, Any]) -> Call:
    """Read a request; its body stays readable for moto. Raises Refusal, in no known protocol yet.

    A request that is not signed is taken as one to S3, as AWS's own endpoints would be reached.
    """
    request = BackendRequest(environ)
    _buffer(request, environ)
    key, region, service = _credential(request)
    environ["wsgi.input"].seek(0)
    request = BackendRequest(environ)
    try:
        return _read(request, service, region, key)
    finally:
        environ["wsgi.input"].seek(0)


def protocol_of(service: str, content_type: str) -> str:
    """Answer the protocol in which the service would answer this content type."""
    model = get_service_model(service)
    try:
        protocol = str(determine_request_protocol(model, content_type))
    except NotImplementedError:
        protocol = str(model.protocol)
    return "json" if protocol == "smithy-rpc-v2-cbor" else protocol


def _read(request: Any, service: str, region: str, key: str) -> Call:
    protocol = protocol_of(service, request.content_type or "")
    token = request.headers.get("X-Amz-Security-Token") or request.args.get("X-Amz-Security-Token")
    call = Call(service, "", protocol, region, key, token or "")
    try:
        operation, labels = get_service_router(service).match(request)
    except Exception:  # noqa: BLE001 moto raises werkzeug's, KeyError and its own alike
        return call
    call = replace(call, operation=str(operation.name))
    try:
        given = _s3(request, labels) if service == "s3" else _parsed(request, operation, labels)
    except Exception as error:  # noqa: BLE001 moto's parsers raise anything on a malformed body
        return replace(call, problem=f"The request can not be read: {error}")
    return replace(call, parameters=given)


def _buffer(request: Any, environ: dict[str, Any]) -> None:
    request.max_content_length = MAX_BODY
    if (request.content_length or 0) > MAX_BODY:
        raise Refusal("RequestEntityTooLarge", "The sandbox takes bodies of at most 256 MiB.", 413)
    body = request.stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refusal("RequestEntityTooLarge", "The sandbox takes bodies of at most 256 MiB.", 413)
    if request.headers.get("Content-Encoding") == "gzip" and "HTTP_X_AMZ_TARGET" in environ:
        body = _inflated(body)
        del environ["HTTP_CONTENT_ENCODING"]
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _inflated(body: bytes) -> bytes:
    # botocore compresses PutMetricData over 10 kB.
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            inflated = stream.read(MAX_INFLATED + 1)
    except (OSError, EOFError, zlib.error):
        raise Refusal("SerializationException", "The gzip body can not be read.") from None
    if len(inflated) > MAX_INFLATED:
        raise Refusal("RequestEntityTooLarge", "The inflated body is over 16 MiB.", 413)
    return inflated


def _credential(request: Any) -> tuple[str, str, str]:
    found = HEADER.fullmatch(request.headers.get("Authorization") or "")
    found = found or QUERY.fullmatch(request.args.get("X-Amz-Credential") or "")
    if not found:
        return "", "us-east-1", "s3"
    key, region, signing_name = found.groups()
    service = MODELS.get(signing_name, signing_name)
    try:
        get_service_model(service)
    except Exception:  # noqa: BLE001 botocore's loader has many
        raise Refusal(
            "UnsupportedOperation", f"The sandbox knows no service {signing_name!r}."
        ) from None
    return key, region, service


def _s3(request: Any, labels: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: labels[name] for name in ("Bucket", "Key") if name in labels}
    if "versionId" in request.args:
        found["VersionId"] = request.args["versionId"]
    if source := request.headers.get("x-amz-copy-source"):
        path, _, version = source.partition("?versionId=")
        found["CopySource"] = unquote(path).lstrip("/")
        found["CopySourceVersionId"] = version
    for name, header in S3_HEADERS.items():
        if header in request.headers:
            found[name] = request.headers[header]
    return found


S3_HEADERS = {
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}


def _parsed(request: Any, operation: Any, labels: dict[str, Any]) -> dict[str, Any]:
    protocol = protocol_of(str(operation.service_model.service_name), request.content_type or "")
    parsed = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.get_data(),
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return dict(parsed or {})
