"""Back ends that are known by name, take weights, and say why they do not compute."""

from __future__ import annotations

from typing import ClassVar

import paddle
from paddle import nn

from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
from fastdeploy_moe.roles import Fc1LatentProj, Fc2LatentProj, Gate, TopkIdsHook


class UnimplementedMoEMethod(MoEMethodBase):
    """A stub: the signatures of the family, weights as they are before any quantisation, and a refusal.

    A subclass says in `missing` what it would take; `dtypes` and `devices` are those of the kernels that are missing.
    """

    missing: ClassVar[str]

    def apply_tp(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Refuse, with what is missing; a projection is refused as such.

        Raises:
            NotImplementedError: Always.
        """
        self.refuse_unsupported(fc1_latent_proj=fc1_latent_proj, fc2_latent_proj=fc2_latent_proj)
        self._refuse(self.missing)
