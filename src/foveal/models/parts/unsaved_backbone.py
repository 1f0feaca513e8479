"""Models of a pretrained network that is neither trained nor saved with them."""

from abc import abstractmethod
from functools import cached_property

from foveal.models.backbones.backbone import Backbone
from foveal.models.base import SaliencyModel


class WithUnsavedBackbone(SaliencyModel):
    """A model whose pretrained network stays as it is: its weights are read where they are installed."""

    @abstractmethod
    def read_backbone(self) -> Backbone:
        """The network, read from disk."""

    @cached_property
    def _backbones(self) -> list[Backbone]:
        # In a list, so that its weights, which nothing here changes, are not written with the model's.
        return [self.read_backbone()]

    @property
    def backbone(self) -> Backbone:
        """The network, read from disk when first needed.

        Raises
        ------
        FovealError
            If its weights are not installed.
        """
        return self._backbones[0].to(self.device)

    def make_ready(self) -> None:
        """Read the backbone's weights."""
        _ = self.backbone
