"""Reading, moving and counting switches."""

import json
import logging
from pathlib import Path

import pytest

from simulator.switches import OFF, SPECS, Switches


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "switches.json"


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def test_without_a_file_everything_is_as_usual(path: Path) -> None:
    switches = Switches(path)
    assert not switches.flag("hold_go")
    assert switches.number("cut_after_bytes") == OFF
    assert switches.number("max_forms") == 500
    assert switches.seconds("acrf_delay") == 0
    assert switches.word("noti_per") == "part"


def test_the_file_is_read_again_when_it_changes(path: Path) -> None:
    switches = Switches(path)
    write(path, {"hold_go": True, "acrf_delay": 2})
    assert switches.flag("hold_go")
    assert switches.seconds("acrf_delay") == 2.0
    write(path, {"acrf_delay": 2.5})
    assert not switches.flag("hold_go")
    path.unlink()
    assert switches.seconds("acrf_delay") == 0


def test_the_file_stands_above_the_positions_at_start(path: Path) -> None:
    switches = Switches(path, {"max_forms": 10, "acrf_delay": 1})
    write(path, {"max_forms": 20})
    assert switches.number("max_forms") == 20
    assert switches.seconds("acrf_delay") == 1.0
    write(path, {})
    assert switches.number("max_forms") == 10


def test_a_counted_switch_goes_back_after_its_uses(path: Path) -> None:
    switches = Switches(path)
    write(path, {"garbage": {"value": True, "times": 2}, "hold_go": True})
    assert [switches.take("garbage") for _ in range(3)] == [True, True, False]
    assert switches.flag("hold_go")
    assert json.loads(path.read_text()) == {"hold_go": True}


def test_a_counter_at_the_top_counts_for_all(path: Path) -> None:
    switches = Switches(path)
    write(path, {"cut_after_bytes": 500, "times": 1})
    assert switches.number("cut_after_bytes") == 500
    switches.use("cut_after_bytes")
    assert switches.number("cut_after_bytes") == OFF


def test_what_is_off_is_not_counted(path: Path) -> None:
    switches = Switches(path)
    write(path, {"garbage": {"value": False, "times": 1}})
    assert not switches.take("garbage")
    assert json.loads(path.read_text()) == {"garbage": {"value": False, "times": 1}}


def test_moving_one_switch_leaves_the_others(path: Path) -> None:
    switches = Switches(path)
    switches.set(garbage=True, times=2)
    switches.take("garbage")
    switches.set(hold_go=True)
    assert switches.take("garbage")
    assert not switches.flag("garbage")
    switches.set(hold_go=None)
    assert not switches.flag("hold_go")


def test_another_process_sees_what_was_moved(path: Path) -> None:
    Switches(path).set(acrf_delay=3)
    assert Switches(path).seconds("acrf_delay") == 3.0


@pytest.mark.parametrize(
    "content",
    [
        {"no_such_switch": 1},
        {"hold_go": "yes"},
        {"max_forms": "many"},
        {"max_forms": True},
        {"noti_per": "month"},
        {"garbage": {"times": 2}},
        {"garbage": True, "times": 0},
        ["hold_go"],
    ],
)
def test_a_file_without_sense_changes_nothing(
    path: Path, content: object, caplog: pytest.LogCaptureFixture
) -> None:
    switches = Switches(path)
    write(path, {"acrf_delay": 1.5})
    assert switches.seconds("acrf_delay") == 1.5
    write(path, content)
    with caplog.at_level(logging.WARNING):
        assert switches.seconds("acrf_delay") == 1.5
    assert "changes nothing" in caplog.text


def test_a_half_written_file_changes_nothing(path: Path) -> None:
    switches = Switches(path)
    write(path, {"hold_go": True})
    assert switches.flag("hold_go")
    path.write_text('{"hold_go": fal')
    assert switches.flag("hold_go")


def test_unfit_values_are_told(path: Path) -> None:
    switches = Switches(path)
    with pytest.raises(KeyError):
        switches.set(no_such_switch=True)
    with pytest.raises(ValueError, match="true or false"):
        switches.set(hold_go=1)
    with pytest.raises(ValueError, match="one of"):
        switches.set(cut_on_close="FO")


def test_the_page_names_every_switch() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    missing = [name for name in SPECS if f"`{name}`" not in page]
    assert missing == []
