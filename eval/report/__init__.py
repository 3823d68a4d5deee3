"""The report: one self-contained HTML page on the scores of some systems and on single queries."""

from __future__ import annotations

from mldr.eval.report.build import ReportOptions, write_report

__all__ = ["ReportOptions", "write_report"]
