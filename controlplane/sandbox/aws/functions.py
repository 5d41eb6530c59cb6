"""Lambda: versions and aliases are moto's; `invoke` answers what the control API was told.

An alias is changed only under the RevisionId that it has, and every change gives it another.

GET /_sandbox/lambda/invocations?function=: what functions were really invoked with.
"""

import json
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.awslambda import models, responses, urls

from controlplane.sandbox.aws import control, hooks
from controlplane.sandbox.aws.control import ControlError, Order


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answers: JSON; error is "" or a FunctionError (Handled, Unhandled)."""

    payload: Any
    error: str = ""


KEPT = 1000

_lock = threading.Lock()
_invocations: deque[dict[str, Any]] = deque(maxlen=KEPT)
_answers: dict[tuple[str, str, str], Answer] = {}


def set_answer(account: str, region: str, function: str, answer: Answer) -> None:
    """Let a function answer so, from now on; all versions of it."""
    with _lock:
        _answers[account, region, function] = answer


class Backend(models.LambdaBackend):  # type: ignore[misc]  # moto ships no types
    """Lambda of one account and region, without containers."""

    def invoke(
        self,
        function_name: str,
        qualifier: str | None,
        body: Any,
        headers: Any,
        response_headers: Any,
    ) -> bytes:
        """Answer as told; a function that nobody told anything answers null."""
        del headers
        function = self.get_function(function_name, qualifier)
        _invocations.append(
            {
                "account": self.account_id,
                "region": self.region_name,
                "function": function.function_name,
                "payload": _read(body),
            }
        )
        answer = _answers.get((self.account_id, self.region_name, function.function_name))
        answer = answer or Answer(None)
        if answer.error:
            response_headers["x-amz-function-error"] = answer.error
        response_headers["x-amz-executed-version"] = self._executed(function, qualifier)
        return json.dumps(answer.payload).encode()

    def update_alias(
        self,
        name: str,
        function_name: str,
        function_version: str,
        description: str,
        routing_config: Any,
    ) -> Any:
        """Change an alias; a change is seen by its RevisionId."""
        changed = super().update_alias(
            name, function_name, function_version, description, routing_config
        )
        changed.revision_id = str(uuid.uuid4())
        return changed

    def _executed(self, function: Any, qualifier: str | None) -> str:
        """Answer the version that a qualifier (a version, an alias, none) stands for."""
        if qualifier is None or qualifier == "$LATEST" or qualifier.isdecimal():
            return qualifier or "$LATEST"
        return str(self.get_alias(qualifier, function.function_name).function_version)


class Response(responses.LambdaResponse):  # type: ignore[misc]  # moto ships no types
    """Reads the qualifier under the name that clients send; moto looks for another."""

    def invoke(self) -> Any:
        if "Qualifier" in self.querystring:
            self.querystring["qualifier"] = self.querystring["Qualifier"]
        return super().invoke()

    def update_alias(self) -> Any:
        function, _, name = map(unquote, self.path.rsplit("/", 3)[-3:])
        wanted = json.loads(self.body).get("RevisionId")
        if wanted and wanted != self.backend.get_alias(name, function).revision_id:
            said = "The RevisionId provided does not match the latest RevisionId."
            body = json.dumps({"Type": "User", "Message": said})
            return 412, {"status": 412, "x-amzn-errortype": "PreconditionFailedException"}, body
        return super().update_alias()


def alias(account: str, region: str, function: str, name: str) -> Any:
    """Answer moto's alias."""
    return models.lambda_backends[account][region].get_alias(name, function)


def weights(known: Any) -> dict[str, float]:
    """Answer the versions besides its own that an alias sends traffic to, and their shares."""
    spread = (known.routing_config or {}).get("AdditionalVersionWeights") or {}
    return {str(version): float(share) for version, share in spread.items()}


def send(account: str, region: str, function: str, name: str, version: str, share: float) -> None:
    """Send this share of an alias's traffic (0 to 1) to another version, as CodeDeploy does."""
    stays = alias(account, region, function, name).function_version
    spread = {} if share >= 1 or version == stays else {version: share}
    models.lambda_backends[account][region].update_alias(
        name, function, version if share >= 1 else stays, None, {"AdditionalVersionWeights": spread}
    )


def invocations(function: str = "") -> list[dict[str, Any]]:
    """Answer what functions were really invoked with, oldest first; "" is any function."""
    return [each for each in list(_invocations) if function in ("", each["function"])]


def _read(body: Any) -> Any:
    try:
        return json.loads(body or "null")
    except ValueError:
        return str(body)


def _answer(order: Order) -> Any:
    error = order.body.get("error") or ""
    if error not in ("", "Handled", "Unhandled"):
        raise ControlError('error must be "Handled", "Unhandled" or absent.')
    answer = Answer(order.body.get("payload"), error)
    set_answer(order.text("account"), order.text("region"), order.text("function"), answer)
    return {"function": order.text("function")}


def install() -> None:
    """Put this Lambda in moto's place."""
    hooks.swap(models.lambda_backends, Backend, urls, Response)
    control.route("/_sandbox/lambda/answer", _answer)
    control.route(
        "/_sandbox/lambda/invocations",
        lambda order: {"invocations": invocations(order.query.get("function", ""))},
    )
