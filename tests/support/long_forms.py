"""Whether tests play their long forms (`make faults` and LONG=1)."""

import os

IS_LONG = bool(os.environ.get("LONG")) or os.environ.get("FAULTS") == "long"
