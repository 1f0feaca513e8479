"""Which picture a name means, if it was written on another system, by another program or by hand."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from foveal.images import IMAGE_SUFFIXES

SPELLING = "in another spelling (Unicode form, backslashes, spaces)"
CASE = "in other letter case"
ENDING = "without its ending"
FOLDERS = "with other folders"


@dataclass(frozen=True)
class Match:
    """A known name, and in what the name that was asked for differs from it ("" if in nothing)."""

    name: str
    differs: str = ""


def match_names(asked: Iterable[str], known: Iterable[str]) -> tuple[dict[str, Match], set[str]]:
    """Find the known name that each name means, and the names that could mean several.

    A name that is not known as it stands is compared in ever looser forms: Unicode composed, slashes for backslashes
    and no spaces around; in any letter case; without the ending of a picture; by the folders that both names have. It
    is matched in the first form in which it is the same as any known name, if that is exactly one. A picture in other
    folders is matched only if no other name is matched to it: two folders may hold different pictures of one name.

    Parameters
    ----------
    asked, known
        Paths below some folder.

    Returns
    -------
    The matches, by the names asked for, and the names that could mean several known ones. A name in neither is unknown.

    >>> matches, unclear = match_names(["A.JPG", "b", "images/b.jpg", "c"], ["a.jpg", "b.jpg", "c.jpg", "c.png"])
    >>> {name: match.name for name, match in matches.items()}, sorted(unclear)
    ({'A.JPG': 'a.jpg', 'b': 'b.jpg'}, ['c', 'images/b.jpg'])
    """
    known = tuple(dict.fromkeys(known))
    matches = {name: Match(name) for name in dict.fromkeys(asked)}
    as_they_stand = set(known)
    open_names = [name for name in matches if name not in as_they_stand]
    unclear: set[str] = set()
    for differs, form_of_asked, form_of_known in _FORMS:
        if not open_names:
            return matches, unclear
        of_form: dict[str, list[str]] = defaultdict(list)
        for name in known:
            of_form[form_of_known(name)].append(name)
        unknown = []
        for name in open_names:
            same = of_form.get(form_of_asked(name), [])
            if len(same) == 1:
                matches[name] = Match(same[0], differs)
            elif same:
                unclear.add(name)
            else:
                unknown.append(name)
        open_names = unknown
    in_other_folders, of_several = _by_folders(open_names, known)
    for name in open_names:
        del matches[name]
    for name in unclear:
        del matches[name]
    taken = {match.name for match in matches.values()}
    meant = Counter(name for name, _ in {(match, _any_case(name)) for name, match in in_other_folders.items()})
    for name, match in in_other_folders.items():
        if match in taken or meant[match] > 1:
            of_several.add(name)
        else:
            matches[name] = Match(match, FOLDERS)
    return matches, unclear | of_several


def _by_folders(asked: Iterable[str], known: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """The one known path that ends like each name, or that the name ends like; and the names that have several."""
    of_file: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for name in known:
        for path in dict.fromkeys((_any_case(name), _without_ending(name))):
            *_, file = parts = PurePosixPath(path).parts or ("",)
            of_file[file].append((tuple(parts), name))
    found: dict[str, str] = {}
    several: set[str] = set()
    for name in asked:
        parts = PurePosixPath(_any_case(name)).parts or ("",)
        candidates = of_file.get(parts[-1], [])
        shorter = [(len(path), known) for path, known in candidates if parts[-len(path) :] == path]
        longer = [known for path, known in candidates if path[-len(parts) :] == parts]
        if shorter:  # of a.png and sub/a.png, images/sub/a.png is the one with more in common
            most = max(length for length, _ in shorter)
            longer = [known for length, known in shorter if length == most]
        if len(longer) == 1:
            found[name] = longer[0]
        elif longer:
            several.add(name)
    return found, several


def _spelled(name: str) -> str:
    return str(PurePosixPath(unicodedata.normalize("NFC", name).strip().replace("\\", "/")))


def _any_case(name: str) -> str:
    return unicodedata.normalize("NFC", _spelled(name).casefold())


def _without_ending(name: str) -> str:
    path = PurePosixPath(_any_case(name))
    return str(path.with_suffix("")) if path.suffix in IMAGE_SUFFIXES else str(path)


# What the forms allow to differ, the form of a name that is asked for, and that of a known one.
_FORMS: tuple[tuple[str, Callable[[str], str], Callable[[str], str]], ...] = (
    (SPELLING, _spelled, _spelled),
    (CASE, _any_case, _any_case),
    (ENDING, _any_case, _without_ending),
)
