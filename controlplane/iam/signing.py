"""How a caller of AWS signs a decision: by a pre-signed sts:GetCallerIdentity, or by a token for it alone."""

from collections.abc import Mapping
from typing import Any

from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from controlplane.iam.base import AUDIENCE_HEADER, BINDING_HEADER, Decision
from controlplane.iam.presigned import FIXED, host_of

EMITTER = HierarchicalEmitter()
"""Kept here: the signer holds it weakly."""
EXPIRES = 120
SECONDS = 60
"""A token's life: the least that there is, so that every policy allows it."""


def sign(credentials: Credentials, region: str, audience: str, decision: Decision) -> str:
    """Answer the signed URL; it is good for this decision at this audience, once."""
    signer = RequestSigner(ServiceId("sts"), region, "sts", "v4", credentials, EMITTER)
    query = f"Action={FIXED['Action']}&Version={FIXED['Version']}"
    request = {
        "method": "GET",
        "url": f"https://{host_of(region)}/?{query}",
        "body": {},
        "headers": {AUDIENCE_HEADER: audience, BINDING_HEADER: decision.binding},
        "context": {},
    }
    return str(
        signer.generate_presigned_url(
            request, region_name=region, expires_in=EXPIRES, operation_name=""
        )
    )


def token_of(sts: Any, audience: str, algorithm: str, tags: Mapping[str, str]) -> str:
    """Ask AWS for a token for this audience alone; botocore's ClientError says why there is none.

    sts: boto3's client, of a region's own endpoint: the global one has no such call.
    """
    answer = sts.get_web_identity_token(
        Audience=[audience],
        DurationSeconds=SECONDS,
        SigningAlgorithm=algorithm,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    return str(answer["WebIdentityToken"])
