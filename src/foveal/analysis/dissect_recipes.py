"""How the networks are trained that `foveal dissect` compares: the dissection paper's Setups I and II (section 4.2).

Differs from the paper in: 2,000 photographs of three data sets, seen twice, instead of 10,000 steps of 20 photographs
of SALICON.
"""

from dataclasses import replace

from foveal.training.recipe import Recipe, read_recipe

EPOCHS = 2  # half of what the recipe `dissection` has, and no mirror images: eight networks take hours as it is
DATASETS = ("eyecrowd", "scene", "mit1003")  # OSIE, which is analyzed, is not among them
FIRST_TRAINED = {  # by the number of layers of VGG-16 that are trained with the readout
    "0": "",
    "1": "conv5_3",
    "2": "conv5_2",
    "3": "conv5_1",
    "4": "conv4_3",
    "5": "conv4_2",
    "6": "conv4_1",
    "all": "conv1_1",
}


def depth_recipes(datasets: tuple[str, ...] = DATASETS) -> dict[str, Recipe]:
    """A recipe for each depth of fine-tuning of the model `dissection`, each from scratch.

    By "0" only the 1x1 readout is trained (Setup I), by "1" to "6" so many of the last layers as well, by "all" all of
    them (Setup II). Each minimizes −NSS of photographs of 224² px, and judges its epochs on a tenth of the photographs.

    >>> depth_recipes()["2"].config
    {'first_trained': 'conv5_2'}
    """
    base = read_recipe("dissection")
    assert isinstance(base, Recipe)
    phases = tuple(replace(phase, epochs=EPOCHS) for phase in base.phases)
    base = replace(base, datasets=datasets, phases=phases, mirrored=False, held_out=0)
    return {
        depth: replace(base, config={**(base.config or {}), "first_trained": layer})
        for depth, layer in FIRST_TRAINED.items()
    }
