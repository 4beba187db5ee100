"""`python -m embviz` is the command `embviz`."""

import sys

from embviz.cli import main

sys.exit(main())
