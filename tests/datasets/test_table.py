"""Tables as people, trackers and other programs write them."""

import datetime
import decimal
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foveal.datasets.table import read_table
from foveal.errors import FovealError

WANTED = {
    "needed": ("image", "x", "y"),
    "texts": ("image", "subject"),
    "numbers": ("x", "y", "order", "duration_ms"),
}


@pytest.fixture
def read(tmp_path):
    """Write a text (or bytes) and read it as a table."""

    def written_and_read(content, **wanted):
        path = tmp_path / "fixations.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **(WANTED | wanted))

    return written_and_read


@pytest.fixture
def read_arrow(tmp_path):
    """Write an Arrow table as Parquet and read it."""

    def written_and_read(table):
        path = tmp_path / "fixations.parquet"
        pq.write_table(table, path)
        return read_table(path, **WANTED)

    return written_and_read


def said(table):
    return [note.split("fixations.csv: ")[-1] for note in table.notes]


def test_a_plain_table(read):
    table = read("image,x,y,subject\na.png,1,2.5,anna\n\nb.png,1e1,,\n")
    assert table.texts["image"].tolist() == ["a.png", "b.png"]
    assert table.texts["subject"].tolist() == ["anna", ""]
    np.testing.assert_array_equal(table.numbers["y"], [2.5, np.nan])
    assert table.numbers["x"].tolist() == [1, 10]
    assert "order" not in table.numbers
    assert (table.place(0), table.place(1)) == ("line 2", "line 4")  # blank lines count
    assert (table.n_rows, table.notes, table.left_out) == (2, (), {})


@pytest.mark.parametrize(
    ("separator", "notes"),
    [
        (";", ["its columns are separated by semicolons", "3 numbers with a decimal comma are read as such"]),
        ("\t", ["its columns are separated by tabs", "3 numbers with a decimal comma are read as such"]),
    ],
)
def test_as_european_programs_write(read, separator, notes):
    rows = ["image,x,y,order", "a, b.png|412,5|88,25|0", "a.png|7|1,024|1"]
    table = read("\r\n".join([rows[0].replace(",", separator), *(row.replace("|", separator) for row in rows[1:])]))
    assert table.texts["image"].tolist() == ["a, b.png", "a.png"]
    assert table.numbers["x"].tolist() == [412.5, 7]
    assert table.numbers["y"].tolist() == [88.25, 1.024]
    assert [note[: len(start)] for note, start in zip(said(table), notes, strict=True)] == notes


def test_one_number_with_a_point_does_not_turn_decimal_commas(read):
    table = read("image;x;y\n" + "a;1,5;2,5\n" * 3 + "a;1.024;3\n")
    np.testing.assert_array_equal(table.numbers["x"], [1.5, 1.5, 1.5, np.nan])
    table = read("image,x,y\n" + "a,1.5,2.5\n" * 3 + 'a,"1,5",3\n')
    np.testing.assert_array_equal(table.numbers["x"], [1.5, 1.5, 1.5, np.nan])


def test_a_comma_that_may_mean_thousands_is_not_guessed(read):
    assert np.isnan(read('image,x,y\na,"1,024",2\n').numbers["x"]).all()
    assert read('image,x,y\na,"1,02",2\n').numbers["x"].tolist() == [1.02]


@pytest.mark.parametrize(
    ("header", "notes"),
    [
        ("image, x, y", []),
        ('"image","x ",  "y"', ["columns 'x ', '  \"y\"' are taken for x, y"]),
        ("Image,X,y", ["columns 'Image', 'X' are taken for image, x"]),
        ("image,x,y,x", ["2 columns are called x; the first is taken"]),
        ("image,x,y,X", []),
        ("image,x,y,", []),
        ("Recorded by\t;a,\n\n#\nimage,x,y", ["2 lines above the header in line 4 are passed over"]),
        ("sep=,\nimage,x,y", ["1 lines above the header in line 2 are passed over"]),
    ],
)
def test_odd_headers(read, header, notes):
    table = read(f'{header}\n"a.png",1,2\n')
    assert [values.tolist() for values in table.numbers.values()] == [[1], [2]]
    assert table.texts["image"].tolist() == ["a.png"]
    assert said(table) == notes


def test_fields_after_a_separator_with_a_space(read):
    table = read('image, x, y, subject\n"a, b.png", 1, 2, "anna"\n')
    assert table.texts["image"].tolist() == ["a, b.png"]
    assert table.texts["subject"].tolist() == ["anna"]


def test_rows_of_other_lengths(read):
    rows = ["a.png,1,2,", "b.png,3,4,,", "c.png,5", "d.png,6,7,8", ",,,,", "e.png,9,9"]
    table = read("image,x,y\n" + "\n".join(rows))
    assert table.texts["image"].tolist() == ["a.png", "b.png", "c.png", "e.png"]
    np.testing.assert_array_equal(table.numbers["y"], [2, 4, np.nan, 9])
    assert table.lines.tolist() == [2, 3, 4, 7]
    assert table.left_out == {"they have more fields than the header (first: line 5)": 1}
    assert table.n_rows == 5


def test_rows_numbered_as_r_does(read):
    table = read("image,x,y\n1,a.png,10,20\n2,b.png,30,40\n")
    assert table.texts["image"].tolist() == ["a.png", "b.png"]
    assert said(table) == ["its rows begin with their number, which has no name in the header"]


@pytest.mark.parametrize("stray", ['"b.png,3,4', 'b".png,3,4', '"b"x.png,3,4', '"' + "b" * 200_000 + ",3,4"])
def test_a_stray_quote_costs_no_other_row(read, stray):
    table = read("\n".join(["image,x,y", "a.png,1,2", stray, *["c.png,5,6"] * 30]))
    assert table.texts["image"].tolist()[2:] == ["c.png"] * 30
    assert len(table.lines) == 32


def test_a_quoted_field_may_go_on_over_lines(read):
    table = read('image,x,y,comment,subject\na.png,1,2,"one,\ntwo ""lines""",anna\nb.png,3,4,,ben\n')
    assert table.texts["subject"].tolist() == ["anna", "ben"]
    assert [table.place(row) for row in (0, 1)] == ["line 2", "line 4"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(read, encoding, end):
    text = end.join(["image,x,y,subject", "Zoë.png,1,2,Ö", ""])
    table = read(text.encode(encoding))
    assert table.texts["image"].tolist() == ["Zoë.png"]
    assert table.texts["subject"].tolist() == ["Ö"]
    assert table.notes == ()


def test_bytes_that_are_not_utf_8(read):
    table = read("image,x,y,subject\nZoë.png,1,2,€\n".encode("cp1252") + "Zoë.png,3,4,\x00\n".encode())
    assert table.texts["image"].tolist() == ["Zoë.png", "Zoë.png"]
    assert table.texts["subject"].tolist() == ["€", "\x00"]
    assert said(table) == ["1 lines are not UTF-8 and are read as Windows-1252 (first: line 2)"]
    assert read(b"image,x,y\na\x81b\xff,1,2\n").texts["image"].tolist() == ["a\x81bÿ"]


def test_numbers_of_hundreds_of_digits(read):
    table = read(f"image,x,y\na,{'9' * 400},1e999\na,nan,0x10\na,1_0,True\n")
    assert not np.isfinite(table.numbers["x"]).any()
    assert not np.isfinite(table.numbers["y"]).any()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a table with the columns image, x and y (no column 'image'; it is empty)"),
        (b"\n\n", "no column 'image'"),
        (b"image,x\na,1\n", "(no column 'y'; it has 'image', 'x')"),
        (b"image\tx\na\t1\n", "(no column 'y'; it has 'image', 'x')"),
        (b"PK\x03\x04\x1b[31m\x00\n\xff\xfe", "no column 'image'; it has 'PK\\x03\\x04\\x1b[31m\\x00"),
        (b",".join(b"%d" % i for i in range(99)), "'10', '11', …)"),
        (b"\xff\xfea", "no column 'image'"),
    ],
)
def test_what_is_no_such_table_is_one_clear_line(read, content, complaint):
    with pytest.raises(FovealError) as caught:
        read(content)
    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


def test_columns_of_several_levels(read, tmp_path):
    columns = pd.MultiIndex.from_tuples([("image", ""), ("gaze", "x"), ("gaze", "y")])
    frame = pd.DataFrame([("a.png", 1.0, 2.0)], columns=columns)
    frame.to_parquet(tmp_path / "fixations.parquet")
    table = read_table(tmp_path / "fixations.parquet", **WANTED)
    assert (table.texts["image"].tolist(), table.numbers["y"].tolist()) == (["a.png"], [2])
    frame.columns = pd.MultiIndex.from_tuples([("", "image"), ("gaze", "x"), ("gaze", "y")])
    assert read(frame.to_csv(index=False)).numbers["y"].tolist() == [2]


def test_names_of_columns_that_are_numbers(tmp_path):
    pd.DataFrame([("a.png", 1.0, 2.0)]).to_parquet(tmp_path / "fixations.parquet")
    with pytest.raises(FovealError, match="no column 'image'; it has '0', '1', '2'"):
        read_table(tmp_path / "fixations.parquet", **WANTED)


def test_an_index_is_a_column(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "x": [1, 2], "y": [3, 4]}).set_index("image")
    frame.to_parquet(tmp_path / "fixations.parquet")
    assert read_table(tmp_path / "fixations.parquet", **WANTED).texts["image"].tolist() == ["a.png", "b.png"]


DAY = datetime.date(2024, 1, 31)
NOON = datetime.datetime(2024, 1, 31, 12)


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["01", "1", None], pa.string(), ["01", "1", ""]),
        (["01", "1", None], pa.large_string(), ["01", "1", ""]),
        (["01", "1", None], pa.string_view(), ["01", "1", ""]),
        (["01", "1", None], pa.dictionary(pa.int8(), pa.string()), ["01", "1", ""]),
        ([1, 2, 1], pa.dictionary(pa.int8(), pa.int64()), ["1", "2", "1"]),
        ([b"01", "Zo\u00eb".encode("cp1252"), None], pa.binary(), ["01", "Zo\u00eb", ""]),
        ([1, 100, None], pa.int64(), ["1", "100", ""]),
        ([1, 2**64 - 1, None], pa.uint64(), ["1", "18446744073709551615", ""]),
        ([1.0, 1.5, None], pa.float64(), ["1", "1.5", ""]),
        ([float("nan"), float("inf"), 1e300], pa.float64(), ["", "inf", "1e+300"]),
        ([1.0, 1.5, None], pa.float32(), ["1", "1.5", ""]),
        ([1.0, 1.5, None], pa.float16(), ["1", "1.5", ""]),
        ([True, False, None], pa.bool_(), ["True", "False", ""]),
        ([DAY, DAY, None], pa.date32(), ["2024-01-31", "2024-01-31", ""]),
        ([NOON, None, NOON], pa.timestamp("ns"), ["2024-01-31 12:00:00", "", "2024-01-31 12:00:00"]),
        ([decimal.Decimal("1.00"), decimal.Decimal("1.50"), None], pa.decimal128(5, 2), ["1", "1.50", ""]),
        ([decimal.Decimal("1.00"), decimal.Decimal("1.50"), None], pa.decimal256(50, 2), ["1", "1.50", ""]),
        ([datetime.timedelta(seconds=1), None, None], pa.duration("ms"), ["0:00:01", "", ""]),
        ([[1, 2], [3], None], pa.list_(pa.int8()), ["[1, 2]", "[3]", ""]),
        ([{"a": 1}, {"a": 2}, None], pa.struct([("a", pa.int8())]), ["{'a': 1}", "{'a': 2}", ""]),
        ([None, None, None], pa.null(), ["", "", ""]),
    ],
)
def test_ids_are_text_whatever_they_are_stored_as(read_arrow, values, kind, texts):
    columns = {"image": ["a", "b", "c"], "x": [1, 2, 3], "y": [1, 2, 3], "subject": pa.array(values, kind)}
    assert read_arrow(pa.table(columns)).texts["subject"].tolist() == texts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None], pa.int8()),
        ([1, 2, None], pa.uint64()),
        ([1, 2, None], pa.float16()),
        ([1, 2, None], pa.float32()),
        ([1, 2, None], pa.dictionary(pa.int8(), pa.float64())),
        (["1", " 2 ", "x"], pa.string()),
        (["1", "2", None], pa.string_view()),
        (["1,0", "2,0", "2.0"], pa.string()),
        ([b"1", b"2", None], pa.binary()),
        (["1", "2", ""], pa.dictionary(pa.int8(), pa.string())),
        ([decimal.Decimal(1), decimal.Decimal(2), None], pa.decimal128(5, 2)),
        ([decimal.Decimal(1), decimal.Decimal(2), None], pa.decimal256(50, 2)),
    ],
)
def test_numbers_are_numbers_whatever_they_are_stored_as(read_arrow, values, kind):
    values = pa.array([np.float16(v) if v and kind == pa.float16() else v for v in values], kind)
    table = read_arrow(pa.table({"image": ["a", "b", "c"], "x": values, "y": [1, 2, 3]}))
    np.testing.assert_array_equal(table.numbers["x"], [1, 2, np.nan])
    assert table.place(2) == "row 3"


@pytest.mark.parametrize("kind", [pa.bool_(), pa.date32(), pa.null(), pa.list_(pa.int8())])
def test_what_is_no_number_is_none(read_arrow, kind):
    table = read_arrow(pa.table({"image": ["a"], "x": pa.array([None], kind), "y": [1]}))
    assert np.isnan(table.numbers["x"]).all()


@pytest.mark.parametrize("is_categorical", [False, True])
def test_parquet_with_a_byte_that_is_not_utf_8(read_arrow, is_categorical):
    names = pa.array([b"Zo\xeb", "Zo\u00eb".encode(), b"c"]).view(pa.string())
    subject = names.dictionary_encode() if is_categorical else names
    table = read_arrow(pa.table({"image": ["a", "b", "c"], "x": names, "y": [1, 2, 3], "subject": subject}))
    assert table.texts["subject"].tolist() == ["Zo\u00eb", "Zo\u00eb", "c"]
    assert [note.split("parquet: ")[1][:32] for note in table.notes] == [
        "the column subject is not UTF-8 ",
        "the column x is not UTF-8 and is",
    ]


def test_two_columns_of_one_name_in_parquet(read_arrow):
    table = read_arrow(pa.Table.from_arrays([pa.array(v) for v in (["a"], [1], [2], [3])], ["image", "x", "y", "x"]))
    assert table.numbers["x"].tolist() == [1]
    assert "2 columns are called x; the first is taken" in table.notes[0]


def test_the_folders_that_a_parquet_file_lies_in_are_no_columns(tmp_path):
    path = tmp_path / "subject=7" / "fixations.parquet"
    path.parent.mkdir()
    pd.DataFrame({"image": ["a"], "x": [1], "y": [1]}).to_parquet(path)
    assert "subject" not in read_table(path, **WANTED).texts


def test_a_damaged_file_is_one_clear_line(tmp_path):
    path = tmp_path / "fixations.parquet"
    pd.DataFrame({"image": ["a"] * 100, "x": range(100), "y": 1}).to_parquet(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(whole), 40):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        with suppress(FovealError):
            read_table(path, **WANTED)
    path.write_bytes(whole[:50])
    with pytest.raises(FovealError, match="not a table that can be read"):
        read_table(path, **WANTED)


def test_a_changed_byte_costs_no_other_row(read):
    rows = [f"{i}.png,{i},{i}.5,s{i:02}" for i in range(40)]
    whole = "\n".join(["image,x,y,subject", *rows]).encode()
    rng = np.random.default_rng(0)
    for position in rng.integers(len("image,x,y,subject\n"), len(whole), 200):
        table = read(whole[:position] + bytes([rng.integers(256)]) + whole[position + 1 :])
        good = set(zip(table.texts["image"], table.numbers["x"], table.texts["subject"], strict=True))
        expected = {(f"{i}.png", float(i), f"s{i:02}") for i in range(40)}
        assert len(expected - good) <= 2  # of two if it was the end of a line
