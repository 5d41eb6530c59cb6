"""Why nobody is let in."""


class IdentityError(Exception):
    """What was shown proves nothing; the sentence says why, and is for whoever showed it."""

    def __init__(self, message: str, status: int = 401) -> None:
        """status: HTTP's; 400: the request is at fault, 403: nothing granted, 503: the issuer is at fault."""
        super().__init__(message)
        self.status = status
