"""The authors' own release, read as it is: MLDR (ms-swift records) and WeChat-MDR, to a dataset; every oddity counted."""

from __future__ import annotations

from mldr.release.findings import Findings
from mldr.release.importing import Import, import_release, look

__all__ = ["Findings", "Import", "import_release", "look"]
