"""Pages of a list, by a token that says where the next begins."""

import base64
from collections.abc import Sequence
from typing import Any

from controlplane.sandbox.aws.faults import Fault

START = "from:"


def page(
    items: Sequence[Any], most: int, token: str | None, error: str
) -> tuple[list[Any], str | None]:
    """Answer one page and the next one's token, None at the end.

    error: the code of the Fault that a wrong token raises.
    """
    first = _place(token, error) if token else 0
    rest = first + most
    return list(items[first:rest]), _token(rest) if rest < len(items) else None


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"{START}{place}".encode()).decode()


def _place(token: str, error: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token).decode("ascii")
    except ValueError:
        text = ""
    number = text.removeprefix(START)
    if not (text.startswith(START) and number.isdecimal()):
        raise Fault(error, "The next token is not valid.")
    return int(number)
