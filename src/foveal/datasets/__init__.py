"""Named collections of photographs and fixations, and folders of one's own."""

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name not in ("load_folder", "save_dataset"):
        raise AttributeError(f"module 'foveal.datasets' has no attribute {name!r}")
    from foveal.datasets import folder  # its pandas and pyarrow are not for who lists data sets

    return getattr(folder, name)
