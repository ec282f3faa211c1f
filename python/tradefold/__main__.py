"""``python -m tradefold``."""

import sys

from .migrate import main

sys.exit(main())
