"""Where this project judges a vector of another judge differently on purpose: one literal table.

The tests that run the vectors read it, and docs/judge.md is made of it: an entry that is not true fails.
Kayenta's classifier vectors are judged as new beside old at one time, as they are meant, with default
settings; Argo's as the same situation under a limit.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """theirs: what their own test expects. ours: what our judge says of the same. why: the reason."""

    judge: str
    vector: str
    theirs: str
    ours: str
    why: str


FIVE = (
    "five points a side: Kayenta looks once at the end; we look at every point, and five ranks cannot "
    "carry all those looks at 1 %. An untold difference is no PASS either"
)
SMALL = "the effect, 0.86 times, is smaller than MinimumEffect (1.5): told, and no ground for a rollback"
SILENT = "an empty side replaced by zeros passes: silence never passes here"

DIFFERENCES: tuple[Difference, ...] = (
    *(
        Difference("Kayenta", f"Mann-Whitney {name}", theirs, "INCONCLUSIVE", FIVE)
        for name, theirs in (
            ("Classifier Test - Mean Ratio Effect Size: Pass", "Pass"),
            ("Classifier Test - Critical Effect Size: Critical Low", "Low"),
            ("Classifier Test - Critical Effect Size: High", "High"),
            ("Classifier Test - Critical Effect Size: Pass", "Pass"),
            ("Classifier Test - Critical Effect Size: Critical High (Default Thresholds)", "High"),
            ("Identical Populations", "Pass"),
            ("Tied Ranks", "High"),
            ("Zero Mean: Pass Metric", "Pass"),
        )
    ),
    Difference(
        "Kayenta", "Mean Inequality Classifier Test: Low Metric", "Low", "INCONCLUSIVE", FIVE
    ),
    Difference(
        "Kayenta", "Mann-Whitney Classifier Test - CLES Effect Size: Low", "Low", "PASS", SMALL
    ),
    Difference(
        "Kayenta",
        "Mann-Whitney Missing Experiment Data with NaN Replacement",
        "Pass",
        "NO_DATA",
        SILENT,
    ),
    Difference(
        "Argo",
        "TestAssessMetricStatusNoMeasurements (terminating)",
        "Successful",
        "NO_DATA",
        "a run that is ended before it measured anything succeeds: silence never passes here",
    ),
    Difference(
        "Argo",
        "TestAssessMetricStatusConsecutiveErrors",
        "Error",
        "UNREACHABLE",
        "five errors 10 s apart abort the release: an outage of the monitoring holds and pages here",
    ),
    Difference(
        "Argo",
        "TestProcessNaNResponse (one condition)",
        "Failed",
        "NO_DATA",
        "NaN fails where only a success condition is given: it is no measurement here",
    ),
)
