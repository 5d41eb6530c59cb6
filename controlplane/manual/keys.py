"""The words of a pipeline's YAML: of each stage, bake, provider and channel, from the loader's own tables."""

from collections.abc import Iterable, Mapping

from controlplane.declarations.deploy_providers import WAY_BACK
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.notifiers import NOTIFIERS
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.providers import ACTIONS
from controlplane.declarations.retries import RETRY_KEYS
from controlplane.declarations.rule_providers import BAKE, RULES
from controlplane.declarations.words import BAKE as BAKE_WORDS
from controlplane.declarations.words import CHANNELS, CONSEQUENCES, channel_word
from controlplane.declarations.words import WAY_BACK as WAY_BACK_WORDS
from controlplane.manual.words import code, page, table

ABOUT = """\
The structure is CodePipeline's: stages, actions, run orders, artifacts. These are the words of the friendly
spelling; CodePipeline's own do as well. `towpath schema` prints the JSON Schema for your editor, and
`towpath validate` names the file, line, field and mend of whatever it refuses."""

PLACES = {
    Need.REQUIRED: "acts in an `account` and `region`",
    Need.OPTIONAL: "may name an `account` and `region`",
    Need.NONE: "acts in no account",
}
HEAD = ("key", "what it says", "value")


def keys_page() -> str:
    """Answer the page of all keys."""
    bake = {word: BAKE[key] for word, key in BAKE_WORDS.items()}
    bake |= {f"consequences.{verdict}": BAKE[key] for verdict, key in CONSEQUENCES.items()}
    back = {word: WAY_BACK[key] for word, key in WAY_BACK_WORDS.items()}
    return page(
        "Keys of a pipeline",
        ABOUT,
        "## A stage's way back",
        _keys(back),
        "## Trying a stage again",
        "In the configuration of a stage's first action; `retry:` of the stage is the friendly spelling.",
        _keys(RETRY_KEYS),
        "## A bake",
        "Under `bake:`, for all of its signals; each signal may say it otherwise in its own `with:`.",
        _keys(bake),
        "## Actions",
        *_providers(ACTIONS),
        "## Rules",
        "In a `gate:`, among the `signals:` of a bake, or in a condition.",
        *_providers(RULES),
        "## Channels",
        "Under `notify:`.",
        *_channels(),
    )


def _channels() -> Iterable[str]:
    for word, channel in CHANNELS.items():
        yield f"### {word}"
        yield _keys({channel_word(key): said for key, said in NOTIFIERS[channel].items()})


def _providers(known: Iterable[Provider]) -> Iterable[str]:
    for one in known:
        yield (
            f"### {one.provider} ({one.category})"
            if one.category != "Rule"
            else f"### {one.provider}"
        )
        yield f"Owner `{one.owner}`; {PLACES[one.place]}; {_artifacts(one)}."
        yield _keys(one.keys)
        yield _together(one)


def _artifacts(one: Provider) -> str:
    if one.category == "Rule":
        return f"may stand in {', '.join(code(word) for word in one.stands)}"
    return f"takes {_span(one.inputs)} and makes {_span(one.outputs)}"


def _span(bounds: tuple[int, int]) -> str:
    least, most = bounds
    if most == 0:
        return "no artifact"
    said = str(most) if least == most else f"{least} to {most}"
    return f"{said} artifact" if said == "1" else f"{said} artifacts"


def _together(one: Provider) -> str:
    said = [f"One of {_or(group)} must be there." for group in one.one_of]
    said += [f"At most one of {_or(group)} may be there." for group in one.most_one]
    return " ".join(said)


def _or(group: Iterable[str]) -> str:
    return " and ".join(code(key) for key in group)


def _keys(keys: Mapping[str, Key]) -> str:
    return table(HEAD, ((code(name), key.about, _value(key)) for name, key in keys.items()))


def _value(key: Key) -> str:
    if key.kind is Kind.ENUM:
        said = ", ".join(code(choice) for choice in key.choices)
    else:
        said = f"{key.kind}{_bounds(key)}"
    return f"{said} (**required**)" if key.required else said


def _bounds(key: Key) -> str:
    spelled = _duration if key.kind is Kind.DURATION else str
    least = f"at least {spelled(key.least)}" if key.least else ""
    most = "" if key.most is None else f"at most {spelled(key.most)}"
    said = ", ".join(filter(None, (least, most)))
    return f", {said}" if said else ""


def _duration(seconds: int) -> str:
    """As a pipeline spells it, in the largest unit that divides it."""
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    word, size = next(unit for unit in units if seconds % unit[1] == 0)
    return f"{seconds // size}{word}"
