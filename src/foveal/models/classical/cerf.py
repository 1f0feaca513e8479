"""Low-level saliency combined with faces (Cerf, Harel, Einhäuser & Koch 2008).

"Predicting human gaze using low-level saliency combined with face detection", NIPS 2007. Faces are one more channel
beside the conspicuity maps of color, intensity and orientation of Itti, Koch & Niebur (1998): each face is a Gaussian,
and the four maps count the same.

Differs from the paper in: faces come from Foveal's own detector (see `models.deep.faces`), not from that of Viola &
Jones; the Gaussian's width is half a side of the face's box; the map of faces is scaled to its largest value, whatever
the number of faces: the operator N(.), which the other channels have gone through, counts many peaks for little, and
would find nothing in a crowd.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.catalogue import register_model
from foveal.models.classical.itti import Itti
from foveal.models.deep.faces import shipped_detector
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.map_normalization import scaled
from foveal.models.parts.working_size import resized


@register_model(
    "cerf",
    family="classical",
    year=2008,
    paper="Cerf, Harel, Einhäuser & Koch, Predicting human gaze using low-level saliency combined with face detection, "
    "NIPS 2007",
    trainable=True,
    weights="package",
)
class Cerf(Itti):
    """The channels of `itti` and one of faces."""

    map_is_fitted = True  # that of faces
    reads = ("faces",)

    def make_ready(self) -> None:
        """Load the detector of faces."""
        shipped_detector(self.device).make_ready()

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The mean of the four channels."""
        conspicuities = self.conspicuity_maps(images)
        faces = scaled(shipped_detector(images.device).face_map(images))
        faces = resize_maps(faces, (conspicuities.shape[2], conspicuities.shape[3]))
        mean = torch.cat([conspicuities, faces[:, None]], dim=1).mean(dim=1, keepdim=True)
        return resized(mean, (images.shape[2], images.shape[3]))[:, 0]
