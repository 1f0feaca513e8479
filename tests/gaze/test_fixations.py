import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import write_palette_without_colors

from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli


@pytest.fixture
def fixations() -> Fixations:
    return Fixations.of(
        image=[1, 0, 1, 0, 2],
        x=[10.0, 0.4, 11.0, 3.0, -0.6],
        y=[5.0, -0.4, 6.0, 2.0, 0.0],
        subject=[0, 0, 1, 1, 0],
        order=[0, 1, 0, 0, 2],
    )


def test_rows_are_sorted_by_image_and_keep_together(fixations):
    assert fixations.image.tolist() == [0, 0, 1, 1, 2]
    assert fixations.x.tolist() == [0.4, 3.0, 10.0, 11.0, -0.6]
    assert fixations.subject.tolist() == [0, 1, 0, 1, 0]


def test_for_image_is_a_view(fixations):
    part = fixations.for_image(1)
    assert part.x.tolist() == [10.0, 11.0]
    assert part.x.base is not None
    assert len(fixations.for_image(7)) == 0


def test_filters(fixations):
    assert fixations.without_subject(0).x.tolist() == [3.0, 11.0]
    assert fixations.for_subject(1).x.tolist() == [3.0, 11.0]
    assert fixations.drop_first().x.tolist() == [0.4, -0.6]
    assert fixations.subjects.tolist() == [0, 1]


def test_inside_counts_half_a_pixel_around_the_outer_centers():
    sizes = np.array([[4, 6]])
    x = [-0.5, -0.51, 5.49, 5.5, 0, 0]
    y = [0, 0, 0, 0, 3.49, 3.5]
    inside = Fixations.of([0] * 6, x, y).is_inside(sizes)
    assert inside.tolist() == [True, False, True, False, True, False]


def test_select_renumbers(fixations):
    part = fixations.select([2, 1])
    assert part.image.tolist() == [0, 1, 1]
    assert part.x.tolist() == [-0.6, 10.0, 11.0]
    assert len(fixations.select([])) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_coordinate_that_is_no_number_is_refused(bad):
    with pytest.raises(FovealError, match="row 1"):
        Fixations.of([0, 0], [1.0, bad], [1.0, 1.0])


@pytest.mark.usefixtures("as_users_run_it")
def test_columns_of_different_length_are_refused():
    with pytest.raises(FovealError, match="differ in length"):
        Fixations.of([0, 0], [1.0, 2.0], [1.0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40))
def test_the_parts_of_all_images_are_the_whole(rows):
    image = [row[0] for row in rows]
    fixations = Fixations.of(image, np.arange(len(rows)), np.zeros(len(rows)), subject=[row[1] for row in rows])
    together = np.concatenate([fixations.for_image(i).x for i in range(6)])
    assert sorted(together.tolist()) == list(range(len(rows)))
    for subject in range(4):
        n = len(fixations.for_subject(subject)) + len(fixations.without_subject(subject))
        assert n == len(rows)


def test_stimuli_group_by_size_and_never_mix():
    sizes = [(4, 6), (5, 5), (4, 6), (4, 6), (5, 5)]
    stimuli = Stimuli([np.zeros((*size, 3), np.uint8) for size in sizes])
    batches = list(stimuli.batches(2))
    assert sorted(i for batch in batches for i in batch) == list(range(5))
    assert all(len({sizes[i] for i in batch}) == 1 and len(batch) <= 2 for batch in batches)
    assert stimuli.by_size() == {(4, 6): [0, 2, 3], (5, 5): [1, 4]}
    assert stimuli.by_size([3, 1, 2]) == {(4, 6): [3, 2], (5, 5): [1]}
    scaled = Stimuli(stimuli.sources, pixels_per_degree=[3.0, 3.0, 3.0, 4.0, 3.0])
    assert [3] in list(scaled.batches(9))
    large = Stimuli([np.broadcast_to(np.uint8(0), (3000, 4000, 3))] * 2)
    assert list(large.batches(8)) == [[0], [1]]


def test_stimuli_carry_their_scale():
    images = [np.zeros((2, 2, 3), np.uint8)] * 3
    assert Stimuli(images, pixels_per_degree=[10.0, 20.0, 30.0]).select([2, 0])[0].pixels_per_degree == 30
    assert Stimuli(images)[0].pixels_per_degree is None
    for wrong in ([10.0, 20.0], -1.0):
        with pytest.raises(FovealError, match="pixels_per_degree"):
            Stimuli(images, pixels_per_degree=wrong)
    with pytest.raises(FovealError, match="id of its own"):
        Stimuli(images, ids=["a", "a", "b"])


def test_what_is_picked_out_of_order_is_sorted_again(fixations):
    picked = fixations.where(np.array([4, 0, 3, 1]))
    assert picked.image.tolist() == [0, 0, 1, 2]
    assert picked.for_image(0).x.tolist() == [0.4, 3.0]


@pytest.mark.parametrize(("x", "image"), [(-5.0, 0), (80.0, 0), (3.0, 9), (3.0, -1)])
def test_a_fixation_outside_is_refused_by_the_data_set(dataset, x, image):
    with pytest.raises(FovealError, match=r"outside their image|on image"):
        Dataset("n", dataset.stimuli, Fixations.of([image], [x], [3.0]))


def test_data_set_parts(dataset):
    part = dataset.select([3, 1])
    assert len(part) == 2
    assert part.fixations.for_image(0).x.tolist() == dataset.fixations.for_image(3).x.tolist()
    assert len(dataset.limit(3)) == 3
    assert dataset.select([-1]).stimuli.ids == ("7",)
    assert dataset.select(np.arange(8) % 2 == 0).stimuli.ids == ("0", "2", "4", "6")
    assert repr(dataset) == "Dataset('toy', 8 images, 240 fixations)"
    with pytest.raises(FovealError, match="no split 'fold0'"):
        dataset.split("fold0")
    named = Dataset("n", dataset.stimuli, dataset.fixations, splits={"two": np.array([0, 1])})
    assert len(named.split("two")) == 2


def test_photographs_that_cannot_be_read_are_a_part_left_out(tmp_path):
    for name in ("a.png", "b.png"):
        write_palette_without_colors(tmp_path / name)
    good = np.zeros((1, 1, 3), np.uint8)
    stimuli = Stimuli([tmp_path / "a.png", good, tmp_path / "b.png", good])
    data = Dataset("n", stimuli, Fixations.of([0, 1, 2, 3], [0] * 4, [0] * 4), problems=("before",))
    part = data.readable()
    assert part.stimuli.ids == ("1", "3")
    assert part.fixations.image.tolist() == [0, 1]
    assert [line.split(":")[0] for line in part.problems] == [
        "before",
        str(stimuli.sources[0]),
        str(stimuli.sources[2]),
    ]
    assert part.readable() is part
    with pytest.raises(FovealError, match=r"n: no photograph can be read \(.*a\.png"):
        data.select([0, 2]).readable()
