"""Paddle warns when it is first imported and used, about itself: those warnings are passed over here, and no others.

Tests of this directory that need Paddle are skipped where it is not installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings

if importlib.util.find_spec("paddle") is not None:
    with warnings.catch_warnings():
        for _message in ("No ccache found", "You are using GPU version Paddle"):
            warnings.filterwarnings("ignore", message=_message, category=UserWarning)
        importlib.import_module("paddle").to_tensor([0.0])
