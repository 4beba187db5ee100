"""From computed values to one self-contained HTML file."""

from embviz.report.opening import opening_bookmark
from embviz.report.page import prepare_page, write_report
from embviz.report.payload import ReportOptions

__all__ = ["ReportOptions", "opening_bookmark", "prepare_page", "write_report"]
