"""How a caller of AWS signs a decision: a pre-signed sts:GetCallerIdentity with two headers of ours in it."""

from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from controlplane.iam.base import AUDIENCE_HEADER, BINDING_HEADER, Decision
from controlplane.iam.presigned import FIXED, host_of

EMITTER = HierarchicalEmitter()
"""Kept here: the signer holds it weakly."""
EXPIRES = 120


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
