"""What `towpath token create` prints."""

import os
import subprocess
import sys
from pathlib import Path

from controlplane.store import access_keys, tokens
from controlplane.store.database import Database


def typed(folder: Path, *words: str, signing: str = "s") -> subprocess.CompletedProcess[str]:
    url = f"sqlite:///{folder}/towpath.db"
    env = {**os.environ, "TOWPATH_DATABASE_URL": url, "TOWPATH_SECRET": signing}
    command = [sys.executable, "-m", "controlplane.cli", "token", "create", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def test_an_access_key_is_printed_and_found_again(tmp_path: Path) -> None:
    lines = typed(tmp_path, "anne", "--role", "approver", "--aws").stdout.split()
    made = dict(line.split("=", 1) for line in lines)
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    with database.read() as connection:
        found = access_keys.find(connection, made["AWS_ACCESS_KEY_ID"], 0.0, "s")
    database.close()
    assert found is not None
    assert (found[0].name, str(found[0].grants[0]), found[1]) == (
        "anne",
        "approver",
        made["AWS_SECRET_ACCESS_KEY"],
    )


def test_a_workers_key_counts_as_the_account_that_it_is_made_for(tmp_path: Path) -> None:
    words = ("scanner", "--role", "job-worker", "--aws", "--account", "1" * 12)
    made = dict(line.split("=", 1) for line in typed(tmp_path, *words).stdout.split())
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    with database.read() as connection:
        found = access_keys.find(connection, made["AWS_ACCESS_KEY_ID"], 0.0, "s")
    database.close()
    assert found is not None and found.account == "1" * 12


def test_an_account_is_an_id_and_of_an_access_key(tmp_path: Path) -> None:
    for words in (("--aws", "--account", "tools"), ("--account", "1" * 12)):
        done = typed(tmp_path, "scanner", *words)
        assert done.returncode == 2 and "--account: 12 digits" in done.stderr


def test_without_a_secret_there_is_no_access_key(tmp_path: Path) -> None:
    done = typed(tmp_path, "anne", "--aws", signing="")
    assert done.returncode == 2 and "TOWPATH_SECRET" in done.stderr


def test_a_token_of_a_pipeline_and_a_stage_reaches_no_further(tmp_path: Path) -> None:
    scope = ("--pipeline", "shop-*", "--stage", "Dev")
    token = typed(tmp_path, "ci", "--role", "developer", *scope).stdout.strip()
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    with database.read() as connection:
        holder = tokens.find(connection, token, 0.0)
    database.close()
    assert holder is not None
    assert [str(grant) for grant in holder.grants] == ["developer on shop-*/Dev"]


def test_a_glob_that_is_none_makes_no_token(tmp_path: Path) -> None:
    answer = typed(tmp_path, "ci", "--pipeline", "shop/*")
    assert (answer.returncode, "is no glob" in answer.stderr) == (2, True)
