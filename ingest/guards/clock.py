"""Seconds as headers count them."""

import math
import time


def seconds_until(moment: float) -> int:
    """Whole seconds from now to `moment` (seconds since 1970), rounded up, at least 1."""
    return max(1, math.ceil(moment - time.time()))
