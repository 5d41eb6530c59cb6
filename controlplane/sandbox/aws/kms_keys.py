"""KMS keys as S3 meets them: whom a key's policy lets in, and that one which is off encrypts nothing.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from typing import Any

from controlplane.sandbox.aws.calls import Call
from controlplane.sandbox.aws.faults import Refusal


def policy(parts: list[str]) -> str:
    """Answer a key's own policy; parts: of its ARN."""
    return str(getattr(_key(parts), "policy", None) or "")


def refuse_unusable(call: Call, arn: str | None) -> None:
    """Raise what S3 answers where a key cannot be used: it is gone, disabled, or will be deleted."""
    parts = (arn or "").split(":", 5)
    if call.service != "s3" or len(parts) < 6 or parts[2] != "kms" or "*" in parts[5]:  # noqa: PLR2004
        return
    key = _key(parts)
    if key is None:
        raise Refusal("KMS.NotFoundException", f"Key '{arn}' does not exist", 400)
    if key.key_state == "Disabled":
        raise Refusal("KMS.DisabledException", f"{arn} is disabled.", 400)
    if key.key_state != "Enabled":
        raise Refusal("KMS.KMSInvalidStateException", f"{arn} is pending deletion.", 400)


def _key(parts: list[str]) -> Any:
    from moto.kms.models import kms_backends

    return kms_backends[parts[4]][parts[3]].keys.get(parts[5].rpartition("/")[2])
