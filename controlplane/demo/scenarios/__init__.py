"""Every scenario of `towpath demo --scenario NAME`: one literal registry, one small file each."""

from collections.abc import Mapping

from controlplane.demo.scenario import Scenario
from controlplane.demo.scenarios.already_bad import ALREADY_BAD
from controlplane.demo.scenarios.bad_release import BAD_RELEASE
from controlplane.demo.scenarios.drill import DRILL
from controlplane.demo.scenarios.monitoring_down import MONITORING_DOWN
from controlplane.demo.scenarios.slow_release import SLOW_RELEASE

DEFAULT = "bad-release"
SCENARIOS: Mapping[str, Scenario] = {
    DEFAULT: BAD_RELEASE,
    "slow-release": SLOW_RELEASE,
    "monitoring-down": MONITORING_DOWN,
    "already-bad": ALREADY_BAD,
    "drill": DRILL,
}
