"""How much a download may fetch, and how fast.

Both limits are kept before bytes are asked for: a request is sent only once its bytes are allowed, so that nothing
that waits in buffers on the way can pass them. What is counted are the bytes of files, not those of listings.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PIECES = 8  # requests a second at the least, so that the rate is even
_LEAST_PIECE = 4 << 10
_CREDIT = 0.2  # seconds of the rate that may be caught up on after a pause
_LOOK = 0.1  # seconds between looks at whether somebody still wants the bytes
_PER_CONNECTION = 2_000_000  # bytes a second that a single connection brings anywhere


class Throttle:
    """A rate in bytes a second that all connections share; None is no limit."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._turn = threading.Lock()
        self._changed = threading.Event()
        self._even = 0.0  # when all that was granted is used up

    def set(self, rate: int | None) -> None:
        """Change the rate, also for those who wait."""
        self.rate = rate
        self._even = 0.0
        self._changed.set()

    def piece(self, size: int) -> int:
        """Return how many of `size` bytes to ask for at once."""
        rate = self.rate
        return size if rate is None else min(size, max(_LEAST_PIECE, rate // _PIECES))

    def connections(self, most: int) -> int:
        """Return how many connections, of at most so many, large objects need to reach the rate."""
        rate = self.rate
        return most if rate is None else max(1, min(most, -(-rate // _PER_CONNECTION)))

    def wait(self, size: int, unwanted: Callable[[], bool]) -> bool:
        """Wait until `size` bytes may be asked for; False once they are unwanted."""
        if self.rate is None:
            return not unwanted()
        with self._turn:  # one waits for its time, the others for it
            while (rate := self.rate) is not None and not unwanted():
                now = time.monotonic()
                left = self._even - now
                if left <= 0:
                    self._even = max(self._even, now - _CREDIT) + size / rate
                    return True
                self._changed.clear()
                self._changed.wait(min(left, _LOOK))
        return not unwanted()


class Budget:
    """How many bytes may be fetched; None is no limit.

    Parameters
    ----------
    total
        So many.
    spent
        How many of them were fetched before.
    """

    def __init__(self, total: int | None, spent: int = 0) -> None:
        self.total, self.spent = total, spent
        self._reserved = 0
        self._lock = threading.Lock()

    @property
    def left(self) -> int | None:
        """Return the bytes that nothing under way needs; None is any number."""
        return None if self.total is None else max(0, self.total - self.spent - self._reserved)

    def covers(self, size: int) -> bool:
        """Whether so many bytes are left."""
        left = self.left
        return left is None or size <= left

    def allow(self, size: int) -> Allowance | None:
        """Set bytes aside for an object; None where so many are not left."""
        with self._lock:
            if not self.covers(size):
                return None
            self._reserved += size
        return Allowance(self, size)


class Allowance:
    """The bytes set aside for one object."""

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget, self._size = budget, size

    def spend(self, size: int) -> None:
        """Count bytes that are about to be asked for."""
        self._move(-size, size)

    def refund(self, size: int) -> None:
        """Take back bytes that were asked for and did not come; they will be asked for again."""
        self._move(size, -size)

    def again(self, size: int) -> bool:
        """Set bytes aside that came, or may have come, and are lost; False where so many are not left."""
        with self._budget._lock:
            if not self._budget.covers(size):
                return False
            self._size += size
            self._budget._reserved += size
        return True

    def close(self) -> None:
        """Let others have what is left of it."""
        with self._budget._lock:
            self._budget._reserved -= self._size
            self._size = 0

    def _move(self, reserved: int, spent: int) -> None:
        with self._budget._lock:
            self._size += reserved
            self._budget._reserved += reserved
            self._budget.spent += spent


class Limits:
    """Both limits of a job.

    Parameters
    ----------
    max_bytes, spent
        As for `Budget`.
    bandwidth
        Bytes a second; None is no limit.
    """

    def __init__(self, max_bytes: int | None = None, spent: int = 0, bandwidth: int | None = None) -> None:
        self.budget, self.throttle = Budget(max_bytes, spent), Throttle(bandwidth)

    @property
    def any(self) -> bool:
        """Whether there is a limit: every byte is asked for by ourselves then, since s5cmd keeps none."""
        return self.budget.total is not None or self.throttle.rate is not None
