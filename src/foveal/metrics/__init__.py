"""How well a map or a density tells where people looked: pure, batched functions on tensors."""

from foveal.metrics.auc import auc
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.likelihood import explained_information, information_gain, log_likelihood
from foveal.metrics.nss import normalized_scanpath_saliency
from foveal.metrics.registry import Metric, get_metrics, list_metrics, register_metric

__all__ = [
    "FixationBatch",
    "Metric",
    "auc",
    "explained_information",
    "get_metrics",
    "information_gain",
    "list_metrics",
    "log_likelihood",
    "normalized_scanpath_saliency",
    "register_metric",
]
