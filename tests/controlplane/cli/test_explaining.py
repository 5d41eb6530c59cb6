"""What `towpath explain` prints: the same document, on lines, with the series as a sparkline."""

import io
from pathlib import Path

from rich.console import Console

from controlplane.cli.explaining import told
from controlplane.client.sparks import scale, sparkline
from tests.support.explained import rolled_back, why
from tests.support.house import House

CHART = {"before": [[0, 1.0], [1, 1.0]], "after": [[2, 1.0], [3, 8.0]], "threshold": 5.0}


def test_before_and_since_are_on_one_scale_with_a_bar_between() -> None:
    assert sparkline(CHART) == "▁▁│▁█"
    assert scale(CHART) == "before 1, since 1 to 8, the limit is 5"


def test_a_long_series_keeps_its_single_peak() -> None:
    after = [[float(n), 100.0 if n == 777 else 1.0] for n in range(1_000)]
    line = sparkline({"before": [], "after": after, "threshold": None})
    assert line.startswith("│") and line.count("█") == 1 and len(line) == 41


def test_the_lines_tell_verdict_series_and_decision(tmp_path: Path) -> None:
    house = House(tmp_path)
    document = why(house, rolled_back(house))
    written = io.StringIO()
    Console(width=200, file=written).print(told(document))
    text = written.getvalue()
    assert "Alarm FAIL at 09:00:" in text and "→ roll back" in text
    assert "│" in text and "by chance 0.001; power 90%" in text
    assert "decided: bad signal by Alarm → roll back" in text
