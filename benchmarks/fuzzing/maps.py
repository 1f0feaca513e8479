"""Damaged maps of somebody's predictions beside good ones, in folders of files and in HDF5 files."""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import h5py
import numpy as np
import scipy.io
import scipy.sparse

from fuzzing.damage import damaged
from fuzzing.inputs import SIZE, good_pictures, write_study
from fuzzing.outcomes import Finding, Job, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result

N_GOOD = 6  # images whose maps are never damaged
PICTURES = good_pictures(N_GOOD + 1)
NAMES = [name.removesuffix(".png") for name in PICTURES]
BAD = NAMES[-1]  # the image whose map is
HUGE = 40_000  # px, of the sides of a map that takes no room in its file


def saliency(number: int) -> np.ndarray:
    """A map of one image."""
    rng = np.random.default_rng(number)
    small = rng.random((6, 8)).astype(np.float32)
    return cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float64)


def _picture(ending: str, dtype: type) -> Callable[[np.ndarray], bytes]:
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    return lambda values: cv2.imencode(ending, (values * top).astype(dtype))[1].tobytes()


def npy(values: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    """The bytes of a NumPy file."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=allow_pickle)
    return file.getvalue()


def _npz(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, values)
    return file.getvalue()


def _mat(values: object, **options: object) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, {"map": values}, **options)
    return file.getvalue()


def hdf5(fill: Callable[[h5py.File], None], **options: object) -> bytes:
    """The bytes of an HDF5 file."""
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as opened:
        fill(opened)
    return file.getvalue()


def _mat73(values: np.ndarray) -> bytes:
    return hdf5(lambda file: file.create_dataset("map", data=values.T))


def _mat73_with_text(file: h5py.File) -> None:
    file["map"] = saliency(0).T
    file["note"] = np.array([[ord(letter)] for letter in "a note"], np.uint16)
    file["note"].attrs["MATLAB_class"] = np.bytes_("char")


def _npy_that_says(shape: tuple[int, ...]) -> bytes:
    """A header of a large array, and little behind it."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + bytes(4096)


FORMATS: dict[str, Callable[[np.ndarray], bytes]] = {
    "png": _picture(".png", np.uint8),
    "jpg": _picture(".jpg", np.uint8),
    "tif": _picture(".tif", np.uint16),
    "float.tiff": _picture(".tiff", np.float32),
    "npy": npy,
    "mat": _mat,
    "packed.mat": lambda values: _mat(values, do_compression=True),
    "73.mat": _mat73,
}


# Files that ended a process once, where they are beside the project.
FAULTS = Path(os.environ.get("FOVEAL_SHARED") or Path(__file__).parents[3] / "shared") / "faults"


def _fault(name: str) -> bytes:
    path = FAULTS / name
    return path.read_bytes() if path.is_file() else b""


def _huge(file: h5py.File, name: str = "map") -> None:
    file.create_dataset(name, (HUGE, HUGE), "f4", chunks=(1000, 1000), compression="gzip")


# Files in a folder of maps: by their endings.
FIXED_FILES: dict[str, Callable[[], bytes]] = {
    "empty.png": lambda: b"",
    "empty.npy": lambda: b"",
    "empty.mat": lambda: b"",
    "archive.npy": lambda: _npz(saliency(0)),
    "pickle.npy": lambda: npy(np.array([{}], object), allow_pickle=True),
    "huge.npy": lambda: _npy_that_says((HUGE, HUGE)),
    "beyond.npy": lambda: _npy_that_says((2**40, 2**40)),
    "negative.npy": lambda: _npy_that_says((-1, 8)),
    "nan.npy": lambda: npy(np.full(SIZE, np.nan)),
    "infinite.npy": lambda: npy(np.full(SIZE, np.inf)),
    "constant.npy": lambda: npy(np.zeros(SIZE)),
    "largest.npy": lambda: npy(saliency(0) * 1e308),
    "smallest.npy": lambda: npy(saliency(0) * 1e-310),
    "truths.npy": lambda: npy(saliency(0) > 0.5),
    "half.npy": lambda: npy(saliency(0).astype(np.float16)),
    "long.npy": lambda: npy(saliency(0).astype(np.longdouble)),
    "complex.npy": lambda: npy(saliency(0).astype(complex)),
    "text.npy": lambda: npy(np.full(SIZE, "a")),
    "dates.npy": lambda: npy(np.zeros(SIZE, "M8[s]")),
    "record.npy": lambda: npy(np.zeros(SIZE, [("a", "f4")])),
    "nothing.npy": lambda: npy(np.zeros((0, 8))),
    "number.npy": lambda: npy(np.array(1.0)),
    "five_axes.npy": lambda: npy(np.zeros((1, 1, 1, *SIZE))),
    "large.npy": lambda: npy(np.zeros((200, 300))),
    "swapped.npy": lambda: npy(saliency(0).astype(">f8")),
    "columns.npy": lambda: npy(np.asfortranarray(saliency(0))),
    "sparse.mat": lambda: _mat(scipy.sparse.csc_matrix(saliency(0) * (saliency(0) > 0.5))),
    "text.mat": lambda: _mat("a text"),
    "struct.mat": lambda: _mat({"a": saliency(0)}),
    "cells.mat": lambda: _mat(np.array([saliency(0), 1], dtype=object)),
    "old.mat": lambda: _mat(saliency(0), format="4"),
    "text_beside.73.mat": lambda: hdf5(_mat73_with_text),
    "huge.73.mat": lambda: hdf5(_huge),
    "empty.73.mat": lambda: hdf5(lambda file: file.update({"map": h5py.Empty("f4")})),
    "alpha.png": lambda: cv2.imencode(".png", np.dstack([np.zeros((*SIZE, 3)), saliency(0) * 255]).astype(np.uint8))[
        1
    ].tobytes(),
    "color.png": lambda: cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8))[
        1
    ].tobytes(),
    "crash_1.mat": lambda: _fault("crash_1.mat"),
    "crash_2.mat": lambda: _fault("crash_2.mat"),
    "crash_3.mat": lambda: _fault("crash_3.mat"),
    "black.png": lambda: _picture(".png", np.uint8)(np.zeros(SIZE)),
}
SPECIAL = (
    "pipe.npy",
    "pipe.mat",
    "pipe.png",
    "folder.npy",
    "nowhere.npy",
    "circle.npy",
    "endless.npy",
    "unreadable.npy",
)


def _external(file: h5py.File) -> None:
    file["bad"] = h5py.ExternalLink("other.hdf5", "/map")


def _outside(file: h5py.File) -> None:
    file.create_dataset("bad", SIZE, "f8", external=[("/etc/passwd", 0, SIZE[0] * SIZE[1] * 8)])


def _soft(file: h5py.File) -> None:
    file["bad"] = h5py.SoftLink("/nothing")


def _circle(file: h5py.File) -> None:
    file["bad"] = h5py.SoftLink("/bad")


def _ring(file: h5py.File) -> None:
    file.create_group("ring")["ring"] = file["/"]


def _references(file: h5py.File) -> None:
    file.create_dataset("bad", SIZE, h5py.ref_dtype)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(SIZE, "f8")
    layout[:] = h5py.VirtualSource("nothing.hdf5", "map", SIZE)
    file.create_virtual_dataset("bad", layout)


# One array beside good ones in an HDF5 file, called "bad", which becomes the name of an image.
FIXED_ARRAYS: dict[str, Callable[[h5py.File], None]] = {
    "h5py.Empty": lambda file: file.update({"bad": h5py.Empty("f4")}),
    "huge": lambda file: _huge(file, "bad"),
    "external link": _external,
    "external storage": _outside,
    "soft link to nothing": _soft,
    "soft link to itself": _circle,
    "group in itself": _ring,
    "references": _references,
    "virtual": _virtual,
    "text": lambda file: file.update({"bad": "a text"}),
    "texts": lambda file: file.create_dataset("bad", data=["a", "b"], dtype=h5py.string_dtype()),
    "complex": lambda file: file.update({"bad": saliency(0).astype(complex)}),
    "record": lambda file: file.update({"bad": np.zeros(SIZE, [("a", "f4")])}),
    "truths": lambda file: file.update({"bad": saliency(0) > 0.5}),
    "nothing": lambda file: file.create_dataset("bad", (0, 5), "f4"),
    "number": lambda file: file.update({"bad": 1.0}),
    "nan": lambda file: file.update({"bad": np.full(SIZE, np.nan)}),
    "many axes": lambda file: file.create_dataset("bad", (1,) * 30, "f4"),
    "lengths that vary": lambda file: file.create_dataset("bad", SIZE, h5py.vlen_dtype(np.float32)),
    "group": lambda file: file.create_group("bad"),
    "type": lambda file: file.update({"bad": np.dtype("f4")}),
    "unknown filter": lambda file: file.create_dataset("bad", SIZE, "f4", fletcher32=True, chunks=(8, 8)),
}
FIXED_CONTAINERS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no arrays": lambda: hdf5(lambda _: None),
    "picture": lambda: FORMATS["png"](saliency(0)),
    "signature": lambda: b"\x89HDF\r\n\x1a\n",
    "zeros": lambda: bytes(4096),
    "damaged": lambda: _fault("damaged.hdf5"),
}


class Maps(Subject):
    """Predictions from files."""

    name = "maps"
    cases = 240

    def prepare(self) -> None:
        """Scores of the good maps alone."""
        self.good: dict[str, bytes] = {}
        formats = list(FORMATS.items())
        for number, name in enumerate(NAMES[:N_GOOD]):
            ending, make = formats[number % len(formats)]
            self.good[f"{name}.{ending.rsplit('.')[-1]}"] = make(saliency(number))
        write_study(self.room / "study", PICTURES)
        self.scores = {}
        for kind in ("folder", "hdf5"):
            where = self._write(self.room, kind)
            result = self.run(Call(_argv(where), self.room, {}))
            if result.status not in (0, 1):  # for images without a map, too, some commands say 1
                raise RuntimeError(f"good maps are not scored: {result.err}{result.traceback}")
            self.scores[kind] = scores_in(self.room / "out/images.csv")
        self.endings = {name: make(saliency(9)) for name, make in FORMATS.items()}

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One damaged map beside good ones, or one damaged HDF5 file."""
        (number,) = numbers
        write_study(folder / "study", PICTURES)
        kinds = [
            *(("folder", name) for name in (*FIXED_FILES, *SPECIAL)),
            *(("hdf5", name) for name in FIXED_ARRAYS),
            *(("container", name) for name in FIXED_CONTAINERS),
        ]
        rng = self.rng(number)
        if number < len(kinds):
            kind, label = kinds[number]
        else:
            kind, label = ("container" if rng.random() < 0.25 else "folder"), ""
        where = self._write(folder, "folder" if kind == "folder" else "hdf5")
        path = folder / where
        if kind == "hdf5":
            _add_array(path, FIXED_ARRAYS[label])
        elif kind == "container" and label:
            path.write_bytes(FIXED_CONTAINERS[label]())
        elif kind == "container":
            data, label = damaged(path.read_bytes(), rng)
            path.write_bytes(data)
        elif label:
            _write_special(path / f"{BAD}.{label.rsplit('.')[-1]}", label)
        else:
            name = list(self.endings)[int(rng.integers(len(self.endings)))]
            data, label = damaged(self.endings[name], rng, list(self.endings.values()))
            ending = str(rng.choice(["png", "npy", "mat", "tif"])) if rng.random() < 0.1 else name.rsplit(".")[-1]
            label = f"{name} called .{ending}: {label}"
            (path / f"{BAD}.{ending}").write_bytes(data)

        def check(_: Result) -> Finding | None:
            # Of a file that is damaged as a whole, all arrays may be lost.
            return check_scores(folder / "out/images.csv", self.scores[kind]) if kind in self.scores else None

        return Job(Call(_argv(where), folder, {}), {number: f"{kind}: {label}"}, check)

    def _write(self, folder: Path, kind: str) -> str:
        """The good maps; what they are called together."""
        if kind == "folder":
            (folder / "maps").mkdir(exist_ok=True)
            for name, data in self.good.items():
                (folder / "maps" / name).write_bytes(data)
            return "maps"
        with h5py.File(folder / "maps.hdf5", "w") as file:
            for number, name in enumerate(NAMES[:N_GOOD]):
                file[f"{name}.png"] = saliency(number)
        return "maps.hdf5"


def _add_array(path: Path, fill: Callable[[h5py.File], None]) -> None:
    """One more, under the name of the image that has no good map."""
    with h5py.File(path, "a") as file:
        fill(file)
        if (link := file.get("bad", getlink=True)) is not None:
            if isinstance(link, h5py.HardLink):
                file.move("bad", f"{BAD}.png")
            else:
                file[f"{BAD}.png"] = link
                del file["bad"]


def _argv(where: str) -> list[str]:
    return [
        *["evaluate", "--dataset", "study", "--predictions", where, "--metrics", "AUC,NSS", "--raw"],
        *["--json", "out/table.json", "--per-image", "out/images.csv"],
    ]


def _write_special(path: Path, kind: str) -> None:
    if kind in FIXED_FILES:
        path.write_bytes(FIXED_FILES[kind]())
        return
    match kind.split(".")[0]:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "nowhere":
            path.symlink_to("nowhere")
        case "circle":
            path.symlink_to(path.name)
        case "endless":
            path.symlink_to("/dev/zero")
        case "unreadable":
            path.symlink_to("/proc/self/mem")
