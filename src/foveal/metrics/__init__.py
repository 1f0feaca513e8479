"""How well a map or a density tells where people looked: pure, batched functions on tensors."""

from foveal.metrics.auc import auc, shuffled_auc
from foveal.metrics.auc_mit import auc_borji, auc_judd, shuffled_auc_mit
from foveal.metrics.distribution import correlation, kullback_leibler, similarity, similarity_mit
from foveal.metrics.emd import earth_movers_distance
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.fixation_kl import fixation_kullback_leibler
from foveal.metrics.likelihood import (
    explained_information,
    information_gain,
    information_gain_mit,
    log_likelihood,
)
from foveal.metrics.nss import normalized_scanpath_saliency, normalized_scanpath_saliency_mit
from foveal.metrics.registry import Metric, get_metrics, list_metrics, register_metric

__all__ = [
    "FixationBatch",
    "Metric",
    "auc",
    "auc_borji",
    "auc_judd",
    "correlation",
    "earth_movers_distance",
    "explained_information",
    "fixation_kullback_leibler",
    "get_metrics",
    "information_gain",
    "information_gain_mit",
    "kullback_leibler",
    "list_metrics",
    "log_likelihood",
    "normalized_scanpath_saliency",
    "normalized_scanpath_saliency_mit",
    "register_metric",
    "shuffled_auc",
    "shuffled_auc_mit",
    "similarity",
    "similarity_mit",
]
