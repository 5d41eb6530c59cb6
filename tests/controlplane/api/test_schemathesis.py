"""The OpenAPI document is held against what is answered, by requests that were made from it.

Seeded, so that a run is like the last; bounded, so that it is short. With an admin's token, a viewer's
and none.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance

from controlplane.api.description import PREFIX
from controlplane.api.guard import NEEDS
from controlplane.identity.attempts import Attempts
from controlplane.store.roles import Role
from tests.support.doors import Doors

EXAMPLES = 6
"""Of one route, with one token."""
LONG_POLL = "wait"


class Fuzzed:
    """A filled installation, and the ids of what is in it."""

    def __init__(self, folder: Path) -> None:
        self.doors = Doors(folder)
        self.execution = self.doors.waits_for_approval()
        self.names = {"name": "shop", "stage": "Gate", "execution_id": self.execution}
        self.schema = schemathesis.openapi.from_dict(self.doors.app.openapi())
        self.schema.app = self.doors.app
        found: Any = [one.ok() for one in self.schema.get_all_operations()]  # type: ignore[union-attr]
        self.operations = {one.label: one for one in found}

    def headers(self, role: Role | None) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.doors.tokens[role]}"}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Fuzzed:
    return Fuzzed(tmp_path_factory.mktemp("fuzzed"))


@pytest.fixture(scope="module")
def client(fuzzed: Fuzzed) -> Iterator[Any]:
    app: Any = fuzzed.doors.app
    with asgi.get_client(app) as client:
        yield client


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests as they are described, and requests that are not."""
    good: st.SearchStrategy[Any] = operation.as_strategy(GenerationMode.POSITIVE)
    bad: st.SearchStrategy[Any] = operation.as_strategy(GenerationMode.NEGATIVE)
    return good | bad


UNDESCRIBED = {
    f"PUT {PREFIX}/pipelines/{{name}}": [positive_data_acceptance],  # the text is YAML: any string
    f"PUT {PREFIX}/accounts/{{name}}": [positive_data_acceptance],  # its ARNs are of its own id
    f"POST {PREFIX}/freezes": [positive_data_acceptance],  # `until` is to come
    f"POST {PREFIX}/tokens": [positive_data_acceptance],  # and so is `expiresAt`
}
"""What JSON Schema cannot say of a body: there a request as it is described may be refused."""

ROUTES = sorted(f"{method} {PREFIX}{path}" for method, path in NEEDS if path != "/openapi.json")


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER, None], ids=str)
@pytest.mark.parametrize("route", ROUTES)
def test_a_route_answers_what_is_described(
    fuzzed: Fuzzed, client: Any, route: str, role: Role | None
) -> None:
    @seed(20)
    @settings(
        max_examples=EXAMPLES if role is Role.ADMIN else 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(fuzzed.operations[route]), real=st.booleans())
    def asked(case: Any, real: bool) -> None:
        case.query.pop(LONG_POLL, None)
        if (
            real and case.meta.generation.mode is GenerationMode.POSITIVE
        ):  # what is there, not only what is not
            case.path_parameters.update(
                {k: v for k, v in fuzzed.names.items() if k in case.path_parameters}
            )
        # Each case asks with a wrong token, too; so many failed sign-ins of one client would be refused.
        fuzzed.doors.app.state.attempts = Attempts(fuzzed.doors.parts().now)
        case.call_and_validate(
            session=client,
            headers=fuzzed.headers(role),
            excluded_checks=UNDESCRIBED.get(route),
        )

    asked()
