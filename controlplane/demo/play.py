"""Play a scenario: sandbox, Towpath, what happens; then say what was checked against the sandbox itself."""

import json
import signal
import tempfile
from pathlib import Path

from controlplane.client.api import Exit
from controlplane.demo.processes import DemoError
from controlplane.demo.scenarios import DEFAULT, SCENARIOS
from controlplane.demo.stage import Stage
from controlplane.demo.story import Story


def play(*, leave: bool, as_json: bool, port: int, scenario: str = DEFAULT) -> int:
    """The whole of a scenario (KeyError where there is none of that name); the exit code."""
    chosen = SCENARIOS[scenario]
    story = Story(to_stderr=as_json)
    for number in (signal.SIGINT, signal.SIGTERM):  # a script may have told us to ignore the first
        signal.signal(number, _interrupt)
    with tempfile.TemporaryDirectory(prefix="towpath-demo-") as folder:
        stage = Stage(Path(folder), story, port, setting=chosen.setting, at_once=leave)
        try:
            stage.open()
            report = chosen.play(stage)
            story.table(report.facts, f"{stage.api.url}/console/", stage.token)
            if as_json:
                print(json.dumps({"scenario": scenario, **report.document}))
            if not leave:
                story.say("still up; Ctrl-C ends it")
                stage.stay()
        except DemoError as error:
            kept = stage.keep_logs()
            story.say(f"the demo failed: {error}\nthe logs are kept in {kept}")
            return Exit.REFUSED
        except KeyboardInterrupt:
            story.say("bye")
        finally:
            stage.close()
    return Exit.WELL


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
