"""Raw gaze to fixations, as MIT1003 was made: by acceleration, at 240 Hz."""

import numpy as np
from jaxtyping import Bool, Float

# Parameters of checkFixations.m, published with MIT1003 (Judd et al. 2009).
SAMPLING_RATE = 240  # Hz
SMOOTHING = 4  # samples, of the moving average of speed
WINDOW = 4  # samples, of the velocities whose difference is the acceleration
CRITERION = 34 * 6  # px/s (34 px per degree, 6 degrees/s): what speed must gain from one window to the next
DECELERATION_WITHIN = 25  # samples: how long after its acceleration a saccade may take to brake
SHORTEST_FIXATION = 12  # samples (50 ms)


def detect_fixations(
    gaze: Float[np.ndarray, "sample 2"],
) -> tuple[
    Float[np.ndarray, " fixation"],
    Float[np.ndarray, " fixation"],
    Float[np.ndarray, " fixation"],
    Float[np.ndarray, " fixation"],
]:
    """Fixations in gaze sampled at 240 Hz, by the acceleration criterion of MIT1003's `checkFixations.m`.

    A saccade begins where acceleration exceeds the criterion for two samples or more, and ends where the braking that
    follows fades. What lies between two saccades is a fixation, unless it lasts 50 ms or less: then the saccades are
    one. Written anew from the published rules; blinks (negative positions) are treated like any other sample, as
    there, and end as fixations outside the image, which the loader leaves out.

    Returns
    -------
    x, y
        Median position of each fixation, in the units of `gaze`.
    duration
        In ms.
    start
        In ms since the first sample.
    """
    if len(gaze) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)
    in_saccade = np.zeros(len(gaze), dtype=bool)
    for start, stop in _join_close(_saccades(_acceleration(gaze)), len(gaze)):
        in_saccade[start:stop] = True
    runs = _runs(~in_saccade)
    medians = np.array([np.nanmedian(gaze[start:stop], axis=0) for start, stop in runs]).reshape(-1, 2)
    start, stop = 1000 / SAMPLING_RATE * np.array(runs, dtype=np.float64).reshape(-1, 2).T
    return medians[:, 0], medians[:, 1], stop - start, start


def _acceleration(gaze: Float[np.ndarray, "sample 2"]) -> Float[np.ndarray, " sample"]:
    """Difference of the mean speeds in two windows that are one sample apart, px/s; 0 at both ends."""
    step = np.zeros(len(gaze))
    step[1:] = np.hypot(*np.diff(gaze, axis=0).T)
    smooth = np.convolve(step, np.full(SMOOTHING, 1 / SMOOTHING))[: len(gaze)]
    acceleration = np.zeros(len(gaze))
    # Two sums of WINDOW + 1 samples, shifted by one, differ only in their ends.
    last = len(gaze) - WINDOW - 1
    acceleration[1:last] = (smooth[WINDOW + 2 :] - smooth[1:last]) * SAMPLING_RATE / WINDOW
    return acceleration


def _saccades(acceleration: Float[np.ndarray, " sample"]) -> list[tuple[int, int]]:
    """Start and stop of each acceleration that is followed by braking."""
    n = len(acceleration)
    braking = acceleration < -CRITERION
    fades = np.flatnonzero(braking[:-1] & ~braking[1:])  # the last sample of each braking
    found = []
    for start, stop in _runs(acceleration > CRITERION):
        if stop - start < 2:
            continue
        ends = fades[(fades >= stop) & (fades <= stop + DECELERATION_WITHIN)]
        if len(ends):
            found.append((start, int(ends[0]) + 1))
        elif stop + DECELERATION_WITHIN >= n:  # the trial ends in a saccade
            found.append((start, n))
    return found


def _join_close(saccades: list[tuple[int, int]], n_samples: int) -> list[tuple[int, int]]:
    """Saccades with what is too short for a fixation between them, or after the last, made one."""
    joined: list[tuple[int, int]] = []
    for start, stop in saccades:
        if joined and start - joined[-1][1] <= SHORTEST_FIXATION:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    if joined and n_samples - joined[-1][1] <= SHORTEST_FIXATION:
        joined[-1] = (joined[-1][0], n_samples)
    return joined


def _runs(mask: Bool[np.ndarray, " sample"]) -> list[tuple[int, int]]:
    """Start and stop of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
