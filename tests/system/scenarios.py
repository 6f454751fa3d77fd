"""The list of scenarios, filled by @scenario. weight: about how many seconds it takes; the longest are started first."""
from typing import Callable, NamedTuple


class Scenario(NamedTuple):
    name: str
    function: Callable[[], None]
    weight: float


ALL: list[Scenario] = []


def scenario(weight: float = 20):
    def mark(function: Callable[[], None]) -> Callable[[], None]:
        if any(s.name == function.__name__ for s in ALL):
            raise ValueError(f"two scenarios are called {function.__name__}")
        ALL.append(Scenario(function.__name__, function, weight))
        return function
    return mark
