"""The metrics of 100 images of 768 x 1024, 100 fixations each, against pysaliency 0.2.22: same process, same maps.

Both are given maps, empirical maps and log densities that are made before the clock starts: Foveal in float32, in which
its models compute, pysaliency in float64, in which its own do, and in float32 as well. What is compared is the
processor time of one thread: other work on the machine disturbs it less than the clock. Pysaliency needs a NumPy that
still has `trapz` (before 2.4): pip install "numpy<2.4".
"""

import gc
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from timing import keep

from foveal import metrics
from foveal.benchmarking.observations import Observations, ObservedBatch
from foveal.benchmarking.scoring import map_values
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.gaze import Dataset, Fixations, Stimuli, fixation_map
from foveal.gaze.maps import gaussian_blur

HEIGHT, WIDTH, N_IMAGES, PER_IMAGE, SIGMA = 768, 1024, 100, 100, 35.0
EMPIRICAL = "empirical map"


def seconds(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The shortest processor time of several calls, and what the last one returned."""
    best = np.inf
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return best, result


def make_inputs() -> tuple[Dataset, np.ndarray, np.ndarray]:
    """Stimuli that carry their number, fixations around the center, smooth maps, and the maps of the fixations."""
    rng = np.random.default_rng(0)
    n = N_IMAGES * PER_IMAGE
    x = rng.normal(WIDTH / 2, WIDTH / 6, n).clip(0, WIDTH - 1)
    y = rng.normal(HEIGHT / 2, HEIGHT / 6, n).clip(0, HEIGHT - 1)
    fixations = Fixations.of(np.repeat(np.arange(N_IMAGES), PER_IMAGE), x, y)
    images = [np.full((HEIGHT, WIDTH, 3), i, dtype=np.uint8) for i in range(N_IMAGES)]
    dataset = Dataset("random", Stimuli(images, pixels_per_degree=SIGMA), fixations)
    noise = torch.from_numpy(rng.random((N_IMAGES, HEIGHT, WIDTH), dtype=np.float32))
    smooth = torch.cat([gaussian_blur(part, 30.0) for part in noise.split(8)])
    smooth -= smooth.amin(dim=(1, 2), keepdim=True)
    maps = (smooth + 0.1 * smooth.amax()) / (smooth + 0.1 * smooth.amax()).sum(dim=(1, 2), keepdim=True)
    empirical = [fixation_map(fixations.for_image(i), (HEIGHT, WIDTH), sigma=SIGMA) for i in range(N_IMAGES)]
    return dataset, maps.numpy(), np.stack(empirical)


def ours(dataset: Dataset, maps: np.ndarray, empirical: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Every metric alone, and all of them as `evaluate` computes them: what they share is computed once."""
    observations = Observations(dataset, Yardsticks(dataset), seed=0)
    saliency, target = torch.from_numpy(maps), torch.from_numpy(empirical)
    log_density = saliency.log()
    baseline = log_density.roll(1, dims=0)
    registered = metrics.get_metrics(["AUC", "AUC_Judd", "sAUC", "NSS", "CC", "SIM", "KL"])

    def run(some: list[metrics.Metric], *, gain: bool) -> np.ndarray:
        values = []
        for i in range(N_IMAGES):
            observed = ObservedBatch(observations, [i], None, saliency.device)
            observed.empirical_map = target[i : i + 1]
            row = [float(v) for v in map_values(saliency[i : i + 1], observed, some, raw=True).values()]
            if gain:
                two = (metrics.log_likelihood(m[i : i + 1], observed.fixations) for m in (log_density, baseline))
                row.append(float(metrics.information_gain(*(values.numpy() for values in two))[0]))
            values.append(row)
        return np.array(values)

    def empirical_maps() -> None:
        for i in range(N_IMAGES):
            fixation_map(dataset.fixations.for_image(i), (HEIGHT, WIDTH), sigma=SIGMA)

    alone = {metric.name: partial(run, [metric], gain=False) for metric in registered}
    return alone | {
        "IG": partial(run, [], gain=True),
        "all eight": partial(run, registered, gain=True),
        EMPIRICAL: empirical_maps,
    }


def theirs(dataset: Dataset, maps: np.ndarray, empirical: np.ndarray) -> dict[str, Callable[[], Any]]:
    warnings.filterwarnings("ignore")
    import pysaliency

    from foveal.interop.pysaliency import to_fixations, to_stimuli

    # The maps are handed out without hashing of images, so that only the metrics' own cost is timed.
    class Given(pysaliency.SaliencyMapModel):
        def __init__(self, of_image: np.ndarray) -> None:
            super().__init__()
            self.of_image = of_image

        def saliency_map(self, stimulus: Any) -> np.ndarray:
            return self.of_image[_pixels(stimulus)[0, 0, 0]]

        def _saliency_map(self, stimulus: np.ndarray) -> np.ndarray:
            raise NotImplementedError

    class GivenDensity(pysaliency.Model):
        def __init__(self, of_image: np.ndarray) -> None:
            super().__init__()
            self.of_image = of_image

        def log_density(self, stimulus: Any) -> np.ndarray:
            return self.of_image[_pixels(stimulus)[0, 0, 0]]

        def _log_density(self, stimulus: np.ndarray) -> np.ndarray:
            raise NotImplementedError

    stimuli, fixations = to_stimuli(dataset.stimuli), to_fixations(dataset.fixations)
    model, target = Given(maps), Given(empirical)
    log_density = np.log(maps)
    density, baseline = GivenDensity(log_density), GivenDensity(np.roll(log_density, 1, axis=0))
    fixation_maps = pysaliency.FixationMap(stimuli, fixations, kernel_size=SIGMA, caching=False)
    return {
        "AUC": lambda: model.AUC(stimuli, fixations, nonfixations="uniform", average="image"),
        "AUC_Judd": lambda: model.AUC_Judd(stimuli, fixations, jitter=False),
        "sAUC": lambda: model.sAUC(stimuli, fixations, average="image"),
        "NSS": lambda: model.NSS(stimuli, fixations, average="image"),
        "CC": lambda: model.CC(stimuli, target),
        "SIM": lambda: model.SIM(stimuli, target),
        "KL": lambda: model.image_based_kl_divergence(stimuli, target),
        EMPIRICAL: lambda: [fixation_maps.saliency_map(stimulus) for stimulus in stimuli],
        "IG": lambda: density.information_gain(stimuli, fixations, baseline_model=baseline, average="image"),
    }


def _pixels(stimulus: Any) -> np.ndarray:
    return stimulus if isinstance(stimulus, np.ndarray) else stimulus.stimulus_data


def main() -> None:
    torch.set_num_threads(1)
    dataset, maps, empirical = make_inputs()
    mine = ours(dataset, maps, empirical)
    results: dict[str, Any] = {"threads": torch.get_num_threads(), "numpy": np.__version__}
    fast, means = {}, {}
    for name, call in mine.items():
        fast[name], values = seconds(call, 3)
        means[name] = np.mean(values) if values is not None else np.nan
        results[f"{name}, Foveal, ms an image"] = 1000 * fast[name] / N_IMAGES
    for precision in (np.float64, np.float32):
        label = f"pysaliency, {precision.__name__} maps"
        slow = {}
        for name, call in theirs(dataset, maps.astype(precision), empirical.astype(precision)).items():
            slow[name], expected = seconds(call, 1)
            results[f"{name}, {label}, ms an image"] = 1000 * slow[name] / N_IMAGES
            results[f"{name}, {label}, ratio"] = slow[name] / fast[name]
            if name != EMPIRICAL:
                results[f"{name}, {label}, difference of the means"] = abs(float(means[name] - np.mean(expected)))
        whole = sum(slow.values())
        given = whole - slow[EMPIRICAL]
        results[f"all eight, {label}, ms an image"] = 1000 * given / N_IMAGES
        results[f"all eight, {label}, ratio"] = given / fast["all eight"]
        results[f"all eight and the empirical map, {label}, ratio"] = whole / (fast["all eight"] + fast[EMPIRICAL])
    keep("metrics", results)


if __name__ == "__main__":
    main()
