"""From computed values to one self-contained HTML file."""

from embviz.report.comparison import encode_comparison, write_comparison
from embviz.report.notebook import Report
from embviz.report.opening import opening_bookmark
from embviz.report.page import encode_report, prepare_page, write_report
from embviz.report.payload import ReportOptions, check_size
from embviz.report.show import show

__all__ = [
    "Report",
    "ReportOptions",
    "check_size",
    "encode_comparison",
    "encode_report",
    "opening_bookmark",
    "prepare_page",
    "show",
    "write_comparison",
    "write_report",
]
