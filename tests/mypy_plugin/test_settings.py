"""What the plugin is asked for where nothing is configured, which it says without reading a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy.options import Options

from sigcheck.core.dataclass import replace
from sigcheck.mypy_plugin.fingerprint import look_beside
from sigcheck.mypy_plugin.settings import read_settings


def test_where_nothing_is_configured_all_is_as_with_an_empty_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sigcheck.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    look_beside(Options())
    unread, read = (read_settings(is_configured=is_configured) for is_configured in (False, True))
    assert not unread.is_ignored("missing-parameter", "a.py")
    assert not read.is_ignored("missing-parameter", "a.py")
    assert replace(unread, is_ignored=read.is_ignored) == read
    assert read.demands.severities
