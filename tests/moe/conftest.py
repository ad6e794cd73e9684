"""Paddle warns when it is imported; everything else stays an error."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import paddle
    except ImportError:
        collect_ignore_glob = []
