"""Would bfloat16 make foveal-s faster here, and as good?

    python benchmarks/bfloat16.py --data-root data

The time of a photograph of OSIE in float32 and under autocast to bfloat16, and what the latter costs: the difference of
the log-likelihood of where people looked. Processors differ: those with instructions for bfloat16 may gain, others
compute it step by step.
"""

import argparse
import platform

import torch
from timing import keep, median_seconds

import foveal
from foveal.metrics import FixationBatch, log_likelihood
from foveal.models import load_model

PHOTOGRAPHS = 20
REPEATS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset("osie", arguments.data_root).limit(PHOTOGRAPHS)
    model = load_model("foveal-s")
    images = [stimulus.image for stimulus in data.stimuli]
    fixations = FixationBatch.stack([data.fixations.for_image(image) for image in range(len(data))])

    def measured() -> tuple[float, float]:
        """Milliseconds of the first photograph, and the mean log-likelihood on all, bit per fixation."""
        seconds = median_seconds(lambda: model.log_density_of(images[:1]), REPEATS)
        log_density = torch.cat([model.log_density_of([image]) for image in images])
        return 1000 * seconds, float(log_likelihood(log_density.float(), fixations).mean())

    time, likelihood = measured()
    with torch.autocast("cpu", torch.bfloat16):
        time_of_16, likelihood_of_16 = measured()
    results: dict[str, float | str] = {
        "float32, ms": time,
        "bfloat16, ms": time_of_16,
        "bfloat16, times as long": time_of_16 / time,
        "bfloat16, difference of the log-likelihood, bit": likelihood_of_16 - likelihood,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
    }
    keep("bfloat16", results)


if __name__ == "__main__":
    main()
