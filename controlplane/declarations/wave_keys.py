"""How waves are said in the one model: entries of `configuration`, and a provider for what is between.

CodePipeline has no field for them. An action or rule of a wave names its wave, its target and how many
targets may be under way at once; between two waves stands an action of provider WaveBake, which bakes
the one before. Everybody who reads a declaration asks here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration

WAVE, TARGET, MAX_IN_FLIGHT = "Wave", "Target", "MaxInFlight"
GATE = "WaveBake"
WEEK = 7 * 24 * 3600

WAVE_KEYS: Mapping[str, Key] = MappingProxyType(
    {
        WAVE: Key("number of its wave", Kind.INTEGER, least=1),
        TARGET: Key("name of its target"),
        MAX_IN_FLIGHT: Key("targets of a wave that are under way at once", Kind.INTEGER, least=1),
    }
)
"""What the configuration of every action and rule may hold."""

GATE_KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "BakeTime": Key("how long the wave before bakes", Kind.DURATION, True, most=WEEK),
        "Pause": Key("how much longer to wait", Kind.DURATION, most=WEEK),
    }
)

Item = ActionDeclaration | RuleDeclaration


def target_of(item: Item) -> str:
    """The target that an action or rule belongs to; "" where its stage has no waves."""
    return item.configuration.get(TARGET, "")


def is_gate(action: ActionDeclaration) -> bool:
    """Whether it is the wait between two waves."""
    return action.action_type_id.provider == GATE


def most_in_flight(action: ActionDeclaration) -> int | None:
    """How many targets may be under way at once; None where that is not bounded."""
    text = action.configuration.get(MAX_IN_FLIGHT, "")
    return max(1, int(text)) if text.isdecimal() else None


def gate_seconds(gate: ActionDeclaration) -> tuple[float, float]:
    """(how long the wave bakes, how long the pause after that is), in seconds."""
    bake, pause = (gate.configuration.get(key, "0s") for key in ("BakeTime", "Pause"))
    return parse_duration(bake).total_seconds(), parse_duration(pause).total_seconds()


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave: its targets in order, and the gate behind it (None behind the last)."""

    number: int
    targets: tuple[str, ...]
    gate: ActionDeclaration | None
    max_in_flight: int | None

    @property
    def bake(self) -> timedelta:
        """How long it bakes before the next wave."""
        return timedelta(seconds=gate_seconds(self.gate)[0] if self.gate else 0)

    @property
    def pause(self) -> timedelta:
        """How much longer the next wave waits."""
        return timedelta(seconds=gate_seconds(self.gate)[1] if self.gate else 0)


def waves(stage: StageDeclaration) -> tuple[Wave, ...]:
    """The waves of a stage, in order; () where it has none."""
    found: dict[int, dict[str, None]] = {}
    gates: dict[int, ActionDeclaration] = {}
    most: dict[int, int | None] = {}
    for action in sorted(stage.actions, key=lambda action: action.run_order):
        text = action.configuration.get(WAVE, "")
        if not text.isdecimal():
            continue
        number = int(text)
        if is_gate(action):
            gates[number] = action
        else:
            found.setdefault(number, {})[target_of(action)] = None
            most.setdefault(number, most_in_flight(action))
    return tuple(
        Wave(number, tuple(found[number]), gates.get(number), most[number])
        for number in sorted(found)
    )
