"""Which picture a name means."""

import unicodedata

import pytest

from foveal.gaze.names import CASE, ENDING, FOLDERS, SPELLING, Match, match_names

COMPOSED = "Zo\u00eb.jpg"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.mark.parametrize(
    ("name", "known", "match"),
    [
        ("a.jpg", ["a.jpg", "A.jpg"], Match("a.jpg")),
        (COMPOSED, [DECOMPOSED, "b.jpg"], Match(DECOMPOSED, SPELLING)),
        (DECOMPOSED, [COMPOSED], Match(COMPOSED, SPELLING)),
        ("sub\\a.jpg", ["a.jpg", "sub/a.jpg"], Match("sub/a.jpg", SPELLING)),
        ("./sub//a.jpg ", ["a.jpg", "sub/a.jpg"], Match("sub/a.jpg", SPELLING)),
        ("SUB\\A.JPG", ["sub/a.jpg"], Match("sub/a.jpg", CASE)),
        ("a", ["a.jpg", "ab.jpg"], Match("a.jpg", ENDING)),
        ("i2.5", ["i2.5.png", "i2.png"], Match("i2.5.png", ENDING)),
        ("images/a.jpg", ["a.jpg", "b.jpg"], Match("a.jpg", FOLDERS)),
        ("C:\\study\\images\\sub\\A.jpg", ["a.jpg", "sub/a.jpg"], Match("sub/a.jpg", FOLDERS)),
        ("images/a", ["a.jpg"], Match("a.jpg", FOLDERS)),
        ("a.jpg", ["x/a.jpg", "y/b.jpg"], Match("x/a.jpg", FOLDERS)),
    ],
)
def test_a_name_is_matched_where_one_picture_is_possible(name, known, match):
    assert match_names([name], known) == ({name: match}, set())


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("A.jpg", ["a.jpg", "a.JPG"]),
        ("a", ["a.jpg", "a.png"]),
        ("a.jpg", ["x/a.jpg", "y/a.jpg"]),
        (COMPOSED, [DECOMPOSED.upper(), DECOMPOSED.lower()]),
    ],
)
def test_a_name_is_not_matched_where_several_are_possible(name, known):
    assert match_names([name], known) == ({}, {name})


@pytest.mark.parametrize("name", ["b.jpg", "a.png", "x/b.jpg", "", ".", "..", "/", "jpg", "xa.jpg", "a.jpg/x"])
def test_other_names_are_unknown(name):
    assert match_names([name], ["a.jpg", "y/c.jpg"]) == ({}, set())


def test_two_folders_may_hold_different_pictures_of_one_name():
    assert match_names(["mon/a.jpg", "tue/a.jpg"], ["a.jpg"]) == ({}, {"mon/a.jpg", "tue/a.jpg"})
    assert match_names(["a.jpg", "tue/a.jpg"], ["a.jpg"]) == ({"a.jpg": Match("a.jpg")}, {"tue/a.jpg"})
    matches, unclear = match_names(["mon/a.jpg", "mon/A.jpg"], ["a.jpg"])
    assert (set(matches), unclear) == ({"mon/a.jpg", "mon/A.jpg"}, set())
