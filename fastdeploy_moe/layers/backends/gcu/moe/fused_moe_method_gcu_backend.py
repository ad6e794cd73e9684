"""The back end for Enflame GCUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class GCUFusedMoeMethod(UnimplementedMoEMethod):
    """Routing and experts by the operators of the GCU."""

    missing = "the operators for Enflame GCUs are not in this package"
    dtypes = ("bfloat16",)
    devices = ("gcu",)
