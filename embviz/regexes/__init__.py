"""Regular expressions that mean the same in Python and in the page, and end on any text."""

from embviz.regexes.dialect import fold_case
from embviz.regexes.search import Regex, compile_regex

__all__ = ["Regex", "compile_regex", "fold_case"]
