"""Elastic Beanstalk's operations; moto routes, parses and serialises them by botocore's model."""

from collections.abc import Callable
from functools import partialmethod
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult, BaseResponse
from moto.elasticbeanstalk.models import eb_backends

from controlplane.sandbox.aws import clock
from controlplane.sandbox.beanstalk.model import OPERATIONS, Beanstalk


class Backend(BaseBackend):  # type: ignore[misc]  # moto ships no types
    """Elastic Beanstalk of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.beanstalk = Beanstalk(account_id, region_name)


class Response(BaseResponse):  # type: ignore[misc]  # moto ships no types
    """One method for each emulated operation."""

    def __init__(self) -> None:
        super().__init__(service_name="elasticbeanstalk")
        self.automated_parameter_parsing = True

    def _answer(self, name: str) -> ActionResult:
        backend: Backend = eb_backends[self.current_account][self.region]
        asked, now = dict(self._get_params()), clock.now()
        with backend.beanstalk.lock:
            backend.beanstalk.advance(now)
            do: Callable[..., dict[str, Any]] = getattr(backend.beanstalk, name)
            return ActionResult(do(asked, now))


for _name in OPERATIONS:
    setattr(Response, _name, partialmethod(Response._answer, _name))  # noqa: SLF001 our own
