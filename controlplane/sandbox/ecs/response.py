"""ECS's operations; moto routes, parses and serialises them by botocore's model."""

import json
from collections.abc import Callable
from functools import partialmethod
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult, BaseResponse
from moto.ecs.models import ecs_backends

from controlplane.sandbox.aws import clock
from controlplane.sandbox.ecs.model import OPERATIONS, Ecs


class Backend(BaseBackend):  # type: ignore[misc]  # moto ships no types
    """ECS of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.ecs = Ecs(account_id, region_name)


class Response(BaseResponse):  # type: ignore[misc]  # moto ships no types
    """One method for each emulated operation."""

    def __init__(self) -> None:
        super().__init__(service_name="ecs")
        self.automated_parameter_parsing = True

    def _answer(self, name: str) -> ActionResult:
        backend: Backend = ecs_backends[self.current_account][self.region]
        now = clock.now()
        with backend.ecs.lock:
            backend.ecs.advance(now)
            do: Callable[..., dict[str, Any]] = getattr(backend.ecs, name)
            return ActionResult(do(json.loads(self.body), now))


for _name in OPERATIONS:
    setattr(Response, _name, partialmethod(Response._answer, _name))  # noqa: SLF001 our own
