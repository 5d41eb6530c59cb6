"""Where the files of `deploy/` are: in the checkout, or beside this module in a wheel."""

from pathlib import Path

_HERE = Path(__file__).parent
_PLACES = (_HERE / "shipped", _HERE.parent.parent / "deploy")


def path(name: str) -> Path:
    """Answer the path of a shipped file, such as "account-roles.cfn.yaml".

    FileNotFoundError, naming where it was looked for, where there is none.
    """
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    looked = " and ".join(str(place) for place in _PLACES)
    raise FileNotFoundError(f"{name} is not part of this installation; looked in {looked}")
