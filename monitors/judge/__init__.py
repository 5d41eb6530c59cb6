"""The judge: series before and after a deployment in, a verdict and its reason out. Pure.

One file a test: `threshold` (limits and alarms), `rank` (levels: latencies, gauges), `count` (errors of
requests), `burn` (an SLO's error budget); `together` weighs several signals. `rules` reads from a
rule's configuration which of them it wants. How and why: docs/judge.md.
"""

from monitors.criteria import Criteria, criteria
from monitors.judge.rules import Asked, Rule, rule
from monitors.judge.threshold import judge
from monitors.judge.together import Together, together

__all__ = ["Asked", "Criteria", "Rule", "Together", "criteria", "judge", "rule", "together"]
