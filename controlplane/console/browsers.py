"""Failed logins by the provider: counted for the browser, and, with far more room, for its address.

Many people sit behind one address: who fails there on purpose keeps none of them out.
"""

import hmac
import secrets

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from controlplane.console.desk import Desk
from controlplane.console.session import mac
from controlplane.identity import noting
from controlplane.identity.attempts import MOST_OF_MANY, TooManyAttemptsError

PROVIDER, BROWSER = "provider", "browser"
COOKIE = "towpath_browser"
PATH, MINUTES = "/console/login", 10


def check(request: Request, desk: Desk) -> None:
    """Refuse (429) a browser that has failed too often, and an address at which far too many have."""
    try:
        desk.attempts.check(noting.key_of("console", client_of(request), PROVIDER), MOST_OF_MANY)
        if browser := _of(request, desk):
            desk.attempts.check(noting.key_of("console", browser, BROWSER))
    except TooManyAttemptsError as error:
        raise waits(error) from None


def failed(request: Request, desk: Desk, why: str) -> None:
    """Count it."""
    if browser := _of(request, desk):
        desk.attempts.failed(noting.key_of("console", browser, BROWSER), tells=False)
    came = ("console", client_of(request), why)
    try:
        noting.refused(desk.database, desk.attempts, desk.now(), came, PROVIDER, MOST_OF_MANY)
    except TooManyAttemptsError as error:
        raise waits(error) from None


def know(request: Request, desk: Desk, answer: Response) -> None:
    """Let the browser keep as whom it is counted; what it forgets, its address does not."""
    browser = _of(request, desk) or secrets.token_urlsafe(16)
    answer.set_cookie(
        COOKIE,
        f"{browser}.{mac(desk, 'browser', browser)}",
        max_age=MINUTES * 60,
        path=PATH,
        secure=desk.https,
        httponly=True,
        samesite="lax",  # the provider sends the browser back from another site
    )


def client_of(request: Request) -> str:
    """The address that asks."""
    return request.client.host if request.client else ""


def waits(error: TooManyAttemptsError) -> HTTPException:
    """The refusal, with when to come again."""
    return HTTPException(429, str(error), {"Retry-After": str(error.retry_after)})


def _of(request: Request, desk: Desk) -> str:
    """As whom this browser is counted; "" where it has begun no login, or says what we did not sign."""
    said, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
    genuine = hmac.compare_digest(signature.encode(), mac(desk, "browser", said).encode())
    return said if said and genuine else ""
