from __future__ import annotations

from pathlib import Path

import pytest

from mldr.errors import MldrError
from mldr.files import write_text


def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    with pytest.raises(MldrError, match="not a file that can be replaced"):
        write_text(tmp_path / "thesis", "x")
    assert (tmp_path / "thesis").is_dir()


def test_a_pipe_or_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    import os
    import stat

    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MldrError, match="not a file that can be replaced"):
        write_text(tmp_path / "pipe", "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
