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
    known = dict.fromkeys(known)
    asked = dict.fromkeys(asked)
    matches = {name: Match(name) for name in asked if name in known}
    unknown = [name for name in asked if name not in known]
    unclear: set[str] = set()
    for differs, form_of_asked, form_of_known in _FORMS:
        if not unknown:
            break
        of_form: dict[str, list[str]] = defaultdict(list)
        for name in known:
            of_form[form_of_known(name)].append(name)
        candidates = {name: of_form.get(form_of_asked(name), []) for name in unknown}
        matches |= {name: Match(same[0], differs) for name, same in candidates.items() if len(same) == 1}
        unclear |= {name for name, same in candidates.items() if len(same) > 1}
        unknown = [name for name, same in candidates.items() if not same]
    in_folders = _by_folders(unknown, known)
    taken = {match.name for match in matches.values()}
    meant = Counter(picture for picture, _ in {(same[0], _any_case(name)) for name, same in in_folders.items()})
    for name, same in in_folders.items():
        if len(same) > 1 or same[0] in taken or meant[same[0]] > 1:
            unclear.add(name)
        else:
            matches[name] = Match(same[0], FOLDERS)
    return matches, unclear


def _by_folders(asked: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """The known paths that end like each name, or that the name ends like; nothing of a name without any."""
    of_file: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for name in known if asked else ():
        for form in dict.fromkeys((_any_case(name), _without_ending(name))):
            parts = PurePosixPath(form).parts
            of_file[parts[-1]].append((parts, name))
    found: dict[str, list[str]] = {}
    for name in asked:
        parts = PurePosixPath(_any_case(name)).parts
        candidates = of_file.get(parts[-1], []) if parts else []
        shorter = [(len(path), picture) for path, picture in candidates if parts[-len(path) :] == path]
        if shorter:  # of a.png and sub/a.png, images/sub/a.png has more in common with the second
            most = max(length for length, _ in shorter)
            same = [picture for length, picture in shorter if length == most]
        else:
            same = [picture for path, picture in candidates if path[-len(parts) :] == parts]
        if same:
            found[name] = same
    return found


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
