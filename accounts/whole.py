"""An answer must be whole: what breaks off in its middle is no answer.

botocore reads a body without holding it against its Content-Length, and makes {} of JSON that does not
parse: a ListDeployments that broke off would say that there are no deployments. What it cannot make
anything of it repeats in its error, and the answer of AssumeRole is a secret.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import IncompleteReadError


def attach(client: Any) -> None:
    """Let a client's calls raise IncompleteReadError where an answer broke off."""
    client.meta.events.register_first("before-parse", _check, unique_id="towpath-whole")


def _check(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:
    body, promised = response_dict["body"], response_dict["headers"].get("Content-Length", "")
    # The answer to a HEAD has the length of what it does not carry; a stream is read later.
    if operation_model.http.get("method") == "HEAD" or not isinstance(body, bytes):
        return
    if promised.isdecimal() and len(body) < int(promised):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(promised))
