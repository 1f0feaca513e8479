"""Named collections of photographs and fixations, and folders of one's own."""

from foveal.datasets.catalogue import (
    DatasetCard,
    dataset_card,
    dataset_cards,
    default_root,
    is_found,
    list_datasets,
    load_dataset,
    register_dataset,
)
from foveal.datasets.folder import load_folder, save_dataset

__all__ = [
    "DatasetCard",
    "dataset_card",
    "dataset_cards",
    "default_root",
    "is_found",
    "list_datasets",
    "load_dataset",
    "load_folder",
    "register_dataset",
    "save_dataset",
]
