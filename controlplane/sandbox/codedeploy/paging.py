"""Pages of a list, by an opaque token that names where the next one begins."""

from controlplane.sandbox.codedeploy.errors import Fault


def page(names: list[str], token: str | None, size: int) -> tuple[list[str], str | None]:
    """Answer one page and the token of the next, None after the last."""
    if token and not (token.isascii() and token.isdigit() and int(token) < len(names)):
        raise Fault("InvalidNextTokenException", "The next token was specified wrongly.")
    start = int(token or 0)
    following = start + size
    return names[start:following], str(following) if following < len(names) else None
