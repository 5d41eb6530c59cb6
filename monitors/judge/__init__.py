"""The judge: series before and after a deployment in, a verdict and its reason out. Pure.

One file a test: `threshold` (limits and alarms), `rank` (levels: latencies, gauges), `count` (errors of
requests), `burn` (an SLO's error budget). `rules` reads from a rule's configuration which of them it
wants. How and why: docs/judge.md.
"""

from monitors.criteria import Criteria, criteria
from monitors.judge.rules import Asked, Rule, among, by_chance, rule
from monitors.judge.threshold import judge

__all__ = [
    "Asked",
    "Criteria",
    "Rule",
    "among",
    "by_chance",
    "criteria",
    "judge",
    "rule",
]
