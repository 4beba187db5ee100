"""From computed values to one self-contained HTML file."""

from embviz.report.page import prepare_page, write_report
from embviz.report.payload import ReportOptions

__all__ = ["ReportOptions", "prepare_page", "write_report"]
