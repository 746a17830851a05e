"""A run killed at any point leaves the old version serving, and the next run finishes as if nothing had been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.files import remove_tree
from etl.publish import current_version
from tests.end_to_end.builders import force_tables
from tests.faults.commands import DONE, KILLED, Commands, wait_until
from tests.faults.homes import (
    BUILD,
    KEEP_ONE,
    LAND,
    PUBLISH,
    Scenario,
    copy_home,
    list_home,
    list_state,
    read_tables,
    serving,
)

LANDING = {
    "the second file is half copied": {"call": "etl.archives.sniff", "nth": 2},
    "no file has its place": {"event": "os.rename", "match": "*/incoming/*"},
    "one file of two has its place": {"event": "os.rename", "match": "*/incoming/*", "nth": 2},
    "both files have no record": {"event": "os.rename", "match": "*/records/*"},
    "one file of two has its record": {"event": "os.rename", "match": "*/records/*", "nth": 2},
    "all is recorded and nothing said": {"call": "etl.landing.list_releases"},
}
READING = {
    "a tidy file holds nothing yet": {"call": "pyarrow.parquet.ParquetWriter.write_table"},
    "a tidy file is whole, not synced": {"call": "pyarrow.parquet.ParquetWriter.close", "after": True},
    "a tidy file has no name": {"event": "os.rename", "match": "*/tidy/*"},
    "one tidy file of two is there": {"event": "os.rename", "match": "*/tidy/*", "nth": 2},
    "both tidy files are there": {"event": "os.mkdir", "match": "*.building *"},
}
BUILDING = {
    "there is no schema": {"call": "etl.build.open_for_building"},
    "the inputs are loaded": {"call": "etl.build.load_inputs", "after": True},
    "the first model": {"call": "etl.models.run_model"},
    "the tenth model is done": {"call": "etl.models.run_model", "nth": 10, "after": True},
    "a model in Python": {"call": "etl.models.run_model", "match": "*'work.count_interval'*"},
    "in the mart": {"call": "etl.models.run_model", "match": "*'mart.crime_trend'*"},
    "kept ranks hold nothing yet": {"call": "pyarrow.parquet.ParquetWriter.write_table", "match": "*input_hash*"},
    "kept ranks are whole, not synced": {
        "call": "pyarrow.parquet.ParquetWriter.write_table",
        "match": "*input_hash*",
        "after": True,
    },
    "kept ranks have no name": {"event": "os.rename", "match": "*/ranks/*"},
    "ranks are kept, not used": {"call": "etl.rank_cache._write", "after": True},
    "it does not say what it keeps out": {"event": "os.rename", "match": "*/items.json *"},
    "half of the hashes": {"call": "etl.build.hash_table", "nth": 8},
    "half of the feeds are written": {"call": "etl.feeds.look_at", "nth": 30},
    "the feeds have no spreadsheets": {"call": "etl.feed_spreadsheets.write_spreadsheets"},
    "the feeds do not say that they are whole": {"event": "os.rename", "match": "*/last_updated.json *"},
    "half of the site is written": {"call": "etl.site.dictionary.write_dictionary"},
    "a page is not written": {"event": "open", "match": "*/site/dictionary/core/*"},
    "charts are not kept": {"event": "os.rename", "match": "*/charts/*"},
    "scratch databases are half gone": {"event": "os.remove", "match": "*/input.scratch *"},
    "there is no manifest": {"event": "os.rename", "match": "*/manifest.json *"},
    "it is not staged": {"event": "os.rename", "match": "*.building *"},
    "it is staged": {"call": "etl.reading.remove_stale"},
}
PUBLISHING = {
    "it is staged still": {"event": "os.rename", "match": "*/staging/* */versions/*"},
    "half of it is on disk": {"event": "os.fsync", "match": "*/staging/*", "nth": 150},
    "it is moved": {"call": "etl.files.make_read_only"},
    "half of it is read-only": {"event": "os.chmod", "match": "*/versions/*", "nth": 2},
    "the order of versions is not written": {"event": "os.rename", "match": "*state.json*"},
    "the link is not made": {"event": "os.symlink"},
    "the link is made, not renamed": {"event": "os.rename", "match": "*/current *"},
}
SERVING = {
    "the link is renamed": {"call": "etl.files.replace_link", "after": True},
    "nothing is pruned": {"event": "os.rename", "match": "*.pruned-*"},
    "the pruned version is there still": {"call": "etl.files.remove_tree", "match": "*.pruned-*"},
    "half of the pruned version is gone": {"event": "os.remove", "match": "manifest.json *"},
    "the other half of it is gone": {"event": "os.remove", "match": "warehouse.duckdb *"},
    "its folder is empty": {"event": "os.rmdir", "match": "*.pruned-*"},
    "the state names it still": {"event": "os.rename", "match": "*state.json*", "nth": 2},
}
STAGES = {
    "land": (LAND, LANDING),
    "read": (BUILD, READING),
    "build": (BUILD, BUILDING),
    "publish": (PUBLISH, PUBLISHING),
}


@pytest.mark.parametrize(
    ("step", "point"),
    [
        pytest.param(step, point, id=f"{stage}: {name}")
        for stage, (step, points) in STAGES.items()
        for name, point in points.items()
    ],
)
def test_a_killed_run_leaves_the_old_version_and_the_next_one_finishes(
    step: int, point: dict[str, Any], commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, step)
    assert commands.run(home, scenario.steps[step], env=KEEP_ONE, point=point).status == KILLED
    assert serving(home) == scenario.old
    assert read_tables(home) == read_tables(scenario.before[LAND])
    commands.succeed(home, ["sql", "SELECT * FROM mart.crime_trend"], ["status"], ["versions"])
    commands.succeed(home, *scenario.steps, env=KEEP_ONE)
    scenario.assert_finished(home)


@pytest.mark.parametrize("point", [pytest.param(point, id=name) for name, point in SERVING.items()])
def test_a_run_killed_after_the_switch_leaves_the_new_version(
    point: dict[str, Any], commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, PUBLISH)
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as reader:
        assert commands.run(home, ["publish"], env=KEEP_ONE, point=point).status == KILLED
        assert serving(home) == scenario.new
        commands.succeed(home, ["sql", "SELECT * FROM mart.crime_trend"], ["status"], ["versions"])
        commands.succeed(home, *scenario.steps, env=KEEP_ONE)
        scenario.assert_finished(home)
        # Who opened the version that is pruned by now keeps it.
        assert reader.execute("SELECT count(*) FROM mart.crime_trend").fetchone() == (scenario.old.figures,)


@pytest.mark.parametrize("step", [LAND, BUILD, PUBLISH], ids=["land", "build", "publish"])
def test_what_a_run_leaves_at_any_change_of_a_file_is_finished_by_the_next(
    step: int, commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    """It waits before each rename, link, sync and so on: what lies there is what it would leave if it were killed.

    A copy of that is run on; one for all that leave the same files.
    """
    changes = scenario.changes[step]
    assert len(changes) > 10
    home = scenario.start(tmp_path, step)
    waits = tmp_path / "waits"
    point = {"event": "change", "nth": None, "pause": str(waits)}
    running = commands.start(home, scenario.steps[step], env=KEEP_ONE, point=point)
    seen: list[object] = []
    switched = []
    for change in changes:
        wait_until(waits.exists, change)
        switched.append(current_version(home) == scenario.new.version)
        assert serving(home) == (scenario.new if switched[-1] else scenario.old), change
        state = list_state(home)
        if state not in seen:
            seen.append(state)
            copy = copy_home(home, tmp_path / "copy")
            commands.succeed(copy, *scenario.steps, env=KEEP_ONE)
            scenario.assert_finished(copy)
            remove_tree(copy)
        waits.unlink()
    assert running.wait().status == DONE
    assert switched == sorted(switched)  # from the old to the new, once
    assert switched[-1] == (step == PUBLISH)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param({"event": "os.rename", "match": "*home.json *"}, id="there is no home.json"),
        pytest.param({"event": "os.rename", "match": "*/incoming/*"}, id="there is no file"),
        pytest.param({"event": "os.rename", "match": "*/records/*"}, id="there is no record"),
        pytest.param({"event": "os.rename", "match": "*/staging/* */versions/*"}, id="there is no version"),
        pytest.param({"event": "os.rename", "match": "*/current *"}, id="there is no link"),
    ],
)
def test_the_first_run_of_a_home_can_be_killed(
    point: dict[str, Any], commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    steps = [force_tables(tmp_path).command, ["build"], ["publish"]]
    assert commands.run(home, *steps, point=point).status == KILLED
    assert current_version(home) is None
    commands.succeed(home, ["status"], ["versions"])
    commands.succeed(home, *steps)
    assert serving(home).figures == scenario.old.figures
    assert {Path(name).name for name in list_home(home) if Path(name).name.startswith(".")} == set()
    assert list((home / "landing" / "incoming").iterdir()) == list((home / "staging").iterdir()) == []


@pytest.mark.parametrize(
    "point",
    [
        pytest.param({"event": "os.rename", "match": "*state.json*"}, id="it is not held"),
        pytest.param({"event": "os.symlink"}, id="the link is not made"),
        pytest.param({"event": "os.rename", "match": "*/current *"}, id="the link is made, not renamed"),
    ],
)
def test_a_rollback_can_be_killed(
    point: dict[str, Any], commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, PUBLISH)
    commands.succeed(home, ["publish"])
    assert commands.run(home, ["rollback"], point=point).status == KILLED
    assert serving(home) == scenario.new
    commands.succeed(home, ["rollback"])
    assert serving(home) == scenario.old
    assert not [name for name in list_home(home) if Path(name).name.startswith(".")]
