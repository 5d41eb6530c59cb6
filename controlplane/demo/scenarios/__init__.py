"""Every scenario of `towpath demo --scenario NAME`: one literal registry, one small file each."""

from collections.abc import Mapping

from controlplane.demo.scenario import Scenario
from controlplane.demo.scenarios.bad_release import BAD_RELEASE

DEFAULT = "bad-release"
SCENARIOS: Mapping[str, Scenario] = {
    DEFAULT: BAD_RELEASE,
}
