"""Every scenario of `towpath demo --scenario NAME`: one literal registry, one small file each."""

from collections.abc import Mapping

from controlplane.demo.scenario import Scenario
from controlplane.demo.scenarios.already_bad import ALREADY_BAD
from controlplane.demo.scenarios.bad_release import BAD_RELEASE
from controlplane.demo.scenarios.drill import DRILL
from controlplane.demo.scenarios.monitoring_down import MONITORING_DOWN
from controlplane.demo.scenarios.one_box import ONE_BOX
from controlplane.demo.scenarios.rollback_fails import ROLLBACK_FAILS
from controlplane.demo.scenarios.slow_release import SLOW_RELEASE
from controlplane.demo.scenarios.waves import ROLLED_OUT

DEFAULT = "bad-release"
SCENARIOS: Mapping[str, Scenario] = {
    DEFAULT: BAD_RELEASE,
    "one-box": ONE_BOX,
    "waves": ROLLED_OUT,
    "rollback-fails": ROLLBACK_FAILS,
    "slow-release": SLOW_RELEASE,
    "monitoring-down": MONITORING_DOWN,
    "already-bad": ALREADY_BAD,
    "drill": DRILL,
}
