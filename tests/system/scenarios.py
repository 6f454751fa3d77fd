"""The list of scenarios, filled by @scenario. weight: about how many seconds it takes; the longest are started first.
on_xen: what it looks at is as on real Xen, where it passes too (make test-xen)."""
from typing import Callable, NamedTuple

from harness import Failure


class Again(Failure):
    """A bug of the emulated machine that does not come every time."""


class Scenario(NamedTuple):
    name: str
    function: Callable[[], None]
    weight: float
    on_xen: bool


ALL: list[Scenario] = []


def scenario(weight: float = 20, on_xen: bool = False):
    def mark(function: Callable[[], None]) -> Callable[[], None]:
        if any(s.name == function.__name__ for s in ALL):
            raise ValueError(f"two scenarios are called {function.__name__}")
        ALL.append(Scenario(function.__name__, function, weight, on_xen))
        return function
    return mark
