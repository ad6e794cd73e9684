"""What every back end of the mixture-of-experts layer offers (a placeholder)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any


class MoEMethodBase(ABC):
    """One way to compute a mixture of experts."""

    def __init__(self, quant_config: Any = None) -> None:
        self.quant_config = quant_config
        self.moe_quant_type = "w16a16"

    @abstractmethod
    def apply_tp(
        self,
        layer: Any,
        x: Any,
        gate: Any,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        fc1_latent_proj: Any = None,
        fc2_latent_proj: Any = None,
    ) -> Any:
        """Run the routed experts, all of which are on this rank."""
