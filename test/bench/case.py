"""What a case of the benchmark is."""
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional


class Target(NamedTuple):
    measure: str  # a field of measure.Usage
    against: str  # a peer, or "best": the better of skopeo and crane
    limit: Optional[float]  # the highest ratio allowed; None: only told


@dataclass
class Case:
    name: str
    title: str
    command: Callable  # (workplace, program) -> argv, or None: the program has no such command
    check: Callable  # (workplace, stdout) -> whether the work was done
    targets: list
    peers: tuple = ("skopeo", "crane")
    needs_target: bool = False
    short: bool = False
    keeps_outcome: bool = False
    most_runs: int = 1000
    notes: list = field(default_factory=list)


def told(against, *measures):
    return [Target(measure, against, None) for measure in measures]
