"""Pages of listings: a nextToken names what the last page ended with, and the listing it belongs to."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.codepipeline.faults import WireError

LONGEST = 2_048
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What no name of ours holds, and no database is asked for."""


def size(asked: Mapping[str, Any], most: int = 100) -> int:
    """So many of a page; what is asked for beyond the most is cut, as AWS does."""
    return max(1, min(int(_said(asked, "maxResults") or most), most))


def after(asked: Mapping[str, Any], listing: str) -> str:
    """What the last page ended with, "" for the first; WireError for a token of another listing."""
    token = _said(asked, "nextToken")
    if token is None:
        return ""
    try:
        said: Any = json.loads(base64.urlsafe_b64decode(token)) if len(token) <= LONGEST else ()
        known, last = said
    except (TypeError, ValueError, RecursionError):
        known, last = None, None
    if known != listing or not isinstance(last, str) or UNSTORABLE.search(last):
        raise WireError("InvalidNextTokenException", "The next token is not one of this listing.")
    return last


def _said(asked: Mapping[str, Any], word: str) -> Any:
    """ListWebhooks alone writes the words with a capital."""
    return asked.get(word, asked.get(word[0].upper() + word[1:]))


def token(listing: str, last: str) -> str:
    """Name where the next page begins."""
    return base64.urlsafe_b64encode(json.dumps([listing, last]).encode()).decode()


def page(rows: Sequence[Any], most: int, listing: str, key: Any) -> tuple[Sequence[Any], str]:
    """Cut what was asked for with one row more than a page; answer the page and the next token."""
    if len(rows) <= most:
        return rows, ""
    return rows[:most], token(listing, str(key(rows[most - 1])))
