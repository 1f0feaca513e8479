"""Progress: what parts of the work say of it."""

from foveal.progress import Progress


def test_parts_of_parts_say_where_they_are():
    said = []
    progress = Progress(lambda *step: said.append(step))
    progress("folds", 2, 10)
    progress.within("fold 3/10").within("teacher 1/2")("features", 5, 20)
    progress.within("fold 3/10").counting("passes", total=40, before=30)(4)
    assert said == [("folds", 2, 10), ("fold 3/10: teacher 1/2: features", 5, 20), ("fold 3/10: passes", 34, 40)]


def test_whatever_a_caller_gives_can_be_told():
    said = []
    Progress.of(lambda *step: said.append(step))("maps", 1, 2)
    assert said == [("maps", 1, 2)]
    progress = Progress(print)
    assert Progress.of(progress) is progress
    Progress.of(None).within("fold 1/2")("maps", 1, 2)  # nobody wants to know
