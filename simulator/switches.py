"""The switches that make the simulator slow, broken or rude; changeable while it runs.

`DIR/switches.json` holds `{"name": value}` or `{"name": {"value": value, "times": n}}`; a `times` at the top
counts for every switch that has no counter of its own. A counted switch goes back after n uses.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spec:
    """One switch: its default (whose type is the type of the switch) and what it does."""

    default: bool | int | float | str
    does: str
    choices: tuple[str, ...] = ()


OFF = -1  # "no limit" of the byte counters, for which 0 is a useful value
SPECS: dict[str, Spec] = {
    "acrf_delay": Spec(0.0, "seconds between taking a set and its ACRF"),
    "noti_delay": Spec(0.0, "seconds between the ACRF and the NOTI"),
    "cut_after_bytes": Spec(OFF, "cut the connection once it has uploaded this many bytes"),
    "cut_on_open": Spec("", "cut before a file of this prefix is created", ("", "FI", "FS", "GO", "TD")),
    "cut_on_close": Spec(
        "", "store a file of this prefix, then cut before saying so", ("", "FI", "FS", "GO", "TD")
    ),
    "full_disk_after_bytes": Spec(OFF, "writing a file fails (SSH_FX_FAILURE) after this many bytes"),
    "short_file_after_bytes": Spec(OFF, "writing a file seems to succeed but stops at this many bytes"),
    "refuse_login": Spec(False, "refuse every key"),
    "ssh_rsa_only": Spec(False, "user authentication accepts the legacy SHA-1 ssh-rsa signature only"),
    "no_listing": Spec(False, "the IN directories cannot be listed"),
    "leave_after_go": Spec(0.0, "seconds during which FI, FS and GO stay visible after GO"),
    "hold_go": Spec(False, "take sets but process none until released"),
    "answer_as_zip": Spec(False, "answers arrive as CO.* holding one FO"),
    "answer_twice": Spec(
        "",
        "send every answer again: under another name, or under the same one once it was removed",
        ("", "other_name", "same_name"),
    ),
    "out_of_order": Spec(False, "NOTI before ACRF"),
    "garbage": Spec(False, "one unparsable answer besides the right ones"),
    "garbage_only": Spec("", "the answer of this kind is unparsable", ("", "ACRF", "NOTI")),
    "noti_per": Spec("part", "one NOTI file per FI part or per set", ("part", "set")),
    "no_file_reference": Spec(
        False, "NOTI without FileReference; the file's ticket is repeated as a Reference"
    ),
    "go_timeout": Spec(0.0, "seconds after which FI or FS without GO are refused (130); 0 = never"),
    "max_file_bytes": Spec(50_000_000, "bytes of one FI above which a set is refused (184)"),
    "max_forms": Spec(500, "forms in one FI above which a set is refused (275)"),
    "max_forms_per_set": Spec(4500, "forms in one set above which it is refused (172)"),
    "max_parts": Spec(9, "parts above which a set is refused (128)"),
    "max_age_days": Spec(31, "age in days above which the date of a name is too old (126)"),
    "numeric_sequence": Spec(False, "letters in the sequence are refused (113)"),
    "unsigned": Spec("", "environment letters in which an FS is refused (121)"),
}


def read_value(name: str, given: object) -> bool | int | float | str:
    """`given` as the type of switch `name`. Raises KeyError (unknown switch) or ValueError (unfit value)."""
    spec = SPECS[name]
    default = spec.default
    if given is None:
        return default
    if isinstance(default, bool):
        if not isinstance(given, bool):
            raise ValueError(f"{name} is true or false, not {given!r}")
        return given
    if isinstance(default, int | float):
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise ValueError(f"{name} is a number, not {given!r}")
        return type(default)(given)
    if not isinstance(given, str) or (spec.choices and given not in spec.choices):
        raise ValueError(
            f"{name} is one of {', '.join(spec.choices) or 'the letters R, T, S'}, not {given!r}"
        )
    return given


@dataclass
class _Setting:
    value: bool | int | float | str
    times: int | None  # None: without end


class Switches:
    """The present position of every switch; safe to use from several threads."""

    def __init__(self, path: Path, at_start: Mapping[str, object] | None = None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._base = {name: spec.default for name, spec in SPECS.items()}
        for name, given in (at_start or {}).items():
            self._base[name] = read_value(name, given)
        self._settings: dict[str, _Setting] = {}
        self._stamp: tuple[int, int] | None = None
        self.reload()

    def reload(self) -> None:
        """Read the file again when it changed. One that makes no sense is logged and changes nothing."""
        with self._lock:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._stamp, self._settings = None, {}
                return
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                self._settings = _read_settings(json.loads(self._path.read_text("utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError) as fault:
                log.warning("switches.json was not understood and changes nothing: %r", fault)

    def set(self, times: int | None = None, **values: object) -> None:
        """Move the named switches; None puts one back. `times`: after so many uses they go back."""
        with self._lock:
            self.reload()
            settings = dict(self._settings)
            for name, given in values.items():
                value = read_value(name, given)
                if given is None:
                    settings.pop(name, None)
                else:
                    settings[name] = _Setting(value, times)
            self._settings = settings
            self._write()

    def _write(self) -> None:
        content = {
            name: {"value": setting.value, "times": setting.times}
            if setting.times is not None
            else setting.value
            for name, setting in self._settings.items()
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
        fresh.replace(self._path)
        status = self._path.stat()
        self._stamp = (status.st_mtime_ns, status.st_size)

    def _value(self, name: str) -> bool | int | float | str:
        with self._lock:
            self.reload()
            setting = self._settings.get(name)
            return self._base[name] if setting is None else setting.value

    def use(self, name: str) -> None:
        """Count one use of a switch; the last one of its counter puts it back."""
        with self._lock:
            setting = self._settings.get(name)
            if setting is None or setting.times is None:
                return
            setting.times -= 1
            if setting.times <= 0:
                del self._settings[name]
            self._write()

    def flag(self, name: str) -> bool:
        """The position of an on-off switch."""
        return bool(self._value(name))

    def take(self, name: str) -> bool:
        """The position of an on-off switch, counted as used when it is on."""
        with self._lock:
            is_on = self.flag(name)
            if is_on:
                self.use(name)
            return is_on

    def number(self, name: str) -> int:
        """The position of a whole-number switch."""
        return int(self._value(name))

    def seconds(self, name: str) -> float:
        """The position of a switch measured in seconds."""
        return float(self._value(name))

    def word(self, name: str) -> str:
        """The position of a switch that holds a word."""
        return str(self._value(name))


def _read_settings(content: Any) -> dict[str, _Setting]:
    shared = content.pop("times", None)
    settings = {}
    for name, given in content.items():
        times = shared
        if isinstance(given, dict):
            times = given.get("times", shared)
            given = given["value"]
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError(f"times of {name} is a number from 1, not {times!r}")
        settings[name] = _Setting(read_value(name, given), times)
    return settings
