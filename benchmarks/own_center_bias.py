"""The densities of Foveal's own model on a data set that it was not trained on, with that data set's center bias.

    python benchmarks/own_center_bias.py run/foveal-s.safetensors mit1003 mit1003.hdf5
    foveal evaluate --predictions mit1003.hdf5 --resize --dataset mit1003 --split othersizes

The center bias of an image is made of the fixations on all other images; it takes the place of the one that the model
has of its training data, with the model's weight for it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import foveal
from foveal.models import load_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import to_nobody
from foveal.training.fits.numbers import networks_of, unseen_of
from foveal.training.runs.held_out import write_maps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    model, data = load_model(arguments.model), foveal.load_dataset(arguments.dataset)
    if not isinstance(model, FovealS | FovealL):
        raise SystemExit(f"{model.name} has no center bias that could be another")
    members, maps = networks_of(model), {}
    for some in unseen_of(model, data, to_nobody):
        log_density = replace(some, log_priors=some.reference).log_density(members).numpy()
        maps |= {data.stimuli.ids[image]: one for image, one in zip(some.images, log_density, strict=True)}
    write_maps(arguments.out, maps)
    print(f"{arguments.out}: densities of {len(data)} images")


if __name__ == "__main__":
    main()
