"""Lambda: versions and aliases are moto's; `invoke` answers what the control API was told."""

import json
import threading
from dataclasses import dataclass
from typing import Any

from moto.awslambda import models, urls

from controlplane.sandbox.aws import control
from controlplane.sandbox.aws.control import ControlError, Order


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answers: JSON; error is "" or a FunctionError (Handled, Unhandled)."""

    payload: Any
    error: str = ""


_lock = threading.Lock()
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
        del body, headers
        function = self.get_function(function_name, qualifier)
        answer = _answers.get((self.account_id, self.region_name, function.function_name))
        answer = answer or Answer(None)
        if answer.error:
            response_headers["x-amz-function-error"] = answer.error
        response_headers["x-amz-executed-version"] = str(function.version)
        return json.dumps(answer.payload).encode()


def _answer(order: Order) -> Any:
    error = order.body.get("error") or ""
    if error not in ("", "Handled", "Unhandled"):
        raise ControlError('error must be "Handled", "Unhandled" or absent.')
    answer = Answer(order.body.get("payload"), error)
    set_answer(order.text("account"), order.text("region"), order.text("function"), answer)
    return {"function": order.text("function")}


def install() -> None:
    """Put this Lambda in moto's place."""
    # moto's base looks its URLs up beside the backend's own module.
    Backend._url_module = urls  # noqa: SLF001
    models.lambda_backends.backend = Backend
    control.route("/_sandbox/lambda/answer", _answer)
