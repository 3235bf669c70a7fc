"""The medians of a case as rows of a Markdown table."""
import statistics

from cases import MEMORY_LIMIT
from measure import Usage

HEAD = ("| case | measure | lade | skopeo | crane | other | ratio | target | result |\n"
        "|---|---|--:|--:|--:|--:|--:|---|---|")
COLUMNS = ("lade", "skopeo", "crane")
NAMES = {"wall": "wall, s", "cpu": "CPU, s", "peak": "peak memory, MiB"}


def medians(runs):
    """Usage of the middle of each measure, per program."""
    return {program: Usage(*(statistics.median(values) for values in zip(*usages))) for program, usages in runs.items()}


def number(measure, value):
    if measure == "peak":
        return f"{value:.1f}"
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def peer_of(target, values):
    """The program that the target compares with, if it was measured."""
    if target.against != "best":
        return target.against if target.against in values else None
    peers = [program for program in ("skopeo", "crane") if program in values]
    return min(peers, key=lambda program: getattr(values[program], target.measure), default=None)


def verdict(target, ratio, value):
    """The texts of the columns target and result."""
    wishes, met = [], []
    if target.limit is not None:
        wishes.append(f"≤ {target.limit:.2f}×")
        met.append(ratio is not None and ratio <= target.limit)
        if target.measure == "peak":
            wishes.append(f"≤ {MEMORY_LIMIT} MiB")
            met.append(value <= MEMORY_LIMIT)
    if not wishes:
        return "–", "–"
    if ratio is None:
        return " and ".join(wishes), "no peer"
    return " and ".join(wishes), "met" if all(met) else "**missed**"


def ratio_text(target, peer, ratio, runs):
    """The ratio of the medians, and for times the lowest and highest ratio of runs that followed each other."""
    if not peer:
        return "–"
    text = f"{ratio:.2f}× {peer}"
    if target.measure == "peak":
        return text
    mine, theirs = ([getattr(usage, target.measure) for usage in runs[program]] for program in ("lade", peer))
    ratios = [a / b for a, b in zip(mine, theirs)]
    return f"{text} ({min(ratios):.2f}–{max(ratios):.2f})"


def row(case, target, values, runs):
    mine = getattr(values["lade"], target.measure)
    peer = peer_of(target, values)
    ratio = mine / getattr(values[peer], target.measure) if peer else None
    cells = [case.title, NAMES[target.measure]]
    for program in (*COLUMNS, peer if peer not in COLUMNS else None):
        cells.append(number(target.measure, getattr(values[program], target.measure)) if program in values else "–")
    cells.append(ratio_text(target, peer, ratio, runs))
    cells.extend(verdict(target, ratio, mine))
    return "| " + " | ".join(cells) + " |"


def rows(case, runs):
    values = medians(runs)
    return [row(case, target, values, runs) for target in case.targets]
