"""Text that stands in columns."""

from submissions.wire.columns import one_line, pairs, table


def test_values_stand_below_one_another() -> None:
    assert pairs([("a", 1), ("longer", "x"), ("none", None), ("empty", ""), ("zero", 0)]) == [
        "  a       1",
        "  longer  x",
        "  zero    0",
    ]
    assert pairs([]) == []


def test_a_table_leaves_out_empty_columns_and_ends_lines_clean() -> None:
    assert table(["no", "void", "name"], [[1, None, "x"], [20, "", ""]]) == [
        "  no  name",
        "  1   x",
        "  20",
    ]


def test_a_table_without_rows_is_nothing() -> None:
    assert table(["a", "b"], []) == []


def test_wide_and_combining_characters_keep_the_columns() -> None:
    lines = table(["a", "b"], [["日本", "x"], ["e\u0301", "x"], ["abcd", "x"]])
    assert lines[1:] == ["  日本  x", "  e\u0301     x", "  abcd  x"]


def test_long_values_are_cut() -> None:
    (_titles, line) = table(["a"], [["x" * 200]])
    assert line == "  " + "x" * 59 + "…"


def test_what_is_not_printable_becomes_a_space() -> None:
    assert one_line("a\x1b[2J\nb\u202ec") == "a [2J b c"
