"""Who sent a webhook: GitHub and Bitbucket sign its body, GitLab shows the secret.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ (Secure webhooks)
https://docs.gitlab.com/user/project/integrations/webhooks/#validate-requests-by-using-a-secret-token
"""

import hashlib
import hmac
from collections.abc import Mapping

SIGNED = {"github": "x-hub-signature-256", "bitbucket": "x-hub-signature"}
SHOWN = "x-gitlab-token"


def is_genuine(kind: str, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """True where whoever sent it knows the secret. headers: by lower-case name."""
    if not secret:
        return False
    if kind == "gitlab":
        return hmac.compare_digest(headers.get(SHOWN, "").encode(), secret.encode())
    right = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest(headers.get(SIGNED[kind], "").encode(), right.encode())
