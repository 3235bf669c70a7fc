"""Measures lade and its peers in turns, case by case, and prints the table. See run.sh."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import measure
import table
import builder_cases
import cases
from workplace import Workplace

CASES = cases.CASES + builder_cases.CASES
NEEDED_SPACE = 4 << 30
KEPT_OUTCOME = 1 << 30
SHORT_FACTOR = 4


def say(text):
    print(text, file=sys.stderr, flush=True)


def find_programs():
    """Absolute paths of what is there; lade, a registry and openssl are needed."""
    environment = os.environ
    wanted = {"lade": environment["LADE"], "skopeo": environment.get("SKOPEO", "skopeo"),
              "crane": environment.get("CRANE", "crane"), "podman": environment.get("PODMAN", "podman"),
              "buildah": environment.get("BUILDAH", "buildah"), "crun": environment.get("CRUN", "crun"),
              "lade-runtime": os.path.join(os.path.dirname(environment["LADE"]), "runtime/lade-runtime"),
              "busybox": "busybox",
              "docker-registry": environment.get("DOCKER_REGISTRY", "docker-registry"),
              "curl": "curl", "igzip": "igzip", "tar": "tar", "sha256sum": "sha256sum", "openssl": "openssl"}
    paths = {name: shutil.which(program) for name, program in wanted.items() if program}
    found = {name: os.path.abspath(path) for name, path in paths.items() if path}
    for name in ("lade", "docker-registry", "openssl"):
        if name not in found:
            raise SystemExit(f"bench: no {name} at '{wanted[name]}'; see the head of run.sh")
    return found


def choose_cases(names):
    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            raise SystemExit(f"bench: no case '{name}'; there are: {' '.join(known)}")
    return [case for case in CASES if not names or case.name in names]


def measure_once(place, case, program):
    out, err = os.path.join(place.folder, "stdout"), os.path.join(place.folder, "stderr")
    with place.fresh_run(case.needs_target, case.keeps_outcome):
        usage = measure.run(case.command(place, program), place.env, out, err)
        with open(out, errors="replace") as text:
            if not case.check(place, text.read()):
                raise measure.CommandFailed(f"{program} did not do the work of {case.name}")
    return usage


def who_can(place, case, skipped):
    """The programs that take part in the case; tells why the others do not."""
    able = ["lade"]
    for peer in case.peers:
        missing = [part for part in peer.split("+") if part not in place.programs]
        skipped.extend(f"{case.name}: no {part} on this machine" for part in missing)
        if not missing:
            able.append(peer)
    return able


def order_of_turn(programs, turn):
    """Another order in each turn, so that no program always follows the same one."""
    first = turn % len(programs)
    order = programs[first:] + programs[:first]
    return order[::-1] if turn % 2 else order


def measure_case(place, case, runs, skipped):
    """Lists of usages per program, taken in turns so that a busy moment of the machine hits all alike."""
    programs = who_can(place, case, skipped)
    if len(programs) == 1:
        skipped.append(f"{case.name}: left out, nothing to compare with")
        return None
    with place.fresh_run(case.needs_target):
        programs = [program for program in programs if case.command(place, program)]
    usages = {program: [] for program in programs}
    count = min(case.most_runs, runs * (SHORT_FACTOR if case.short else 1))
    say(f"{case.name}: {count} runs of {', '.join(programs)}")
    for turn in range(count):
        for program in order_of_turn(programs, turn):
            try:
                usages[program].append(measure_once(place, case, program))
            except measure.CommandFailed as failure:
                skipped.append(f"{case.name}: {program} failed")
                say(str(failure))
                del usages[program]
                programs = [name for name in programs if name != program]
                if program == "lade":
                    return None
    for program, measured in usages.items():
        say(f"  {program}: wall {' '.join(f'{usage.wall:.3f}' for usage in measured)}")
    return usages


def first_line(argv):
    answer = subprocess.run(argv, capture_output=True, text=True)
    return (answer.stdout or answer.stderr).strip().split("\n")[0]


def describe(place, runs):
    processors = os.cpu_count()
    for program in ("lade", "skopeo", "crane", "podman", "buildah", "crun", "docker-registry"):
        if program in place.programs:
            question = "version" if program == "crane" else "--version"
            print(f"- {program}: {first_line([place.programs[program], question])}")
    print(f"- {processors} processors; load {os.getloadavg()[0]:.1f} at the start; medians of {runs} runs "
          f"({runs * SHORT_FACTOR} for inspect, list-tags and --version)")
    print("- in brackets beside a ratio: the lowest and the highest of a turn")


def describe_image(place):
    parts = [place.layers[name] for name in ("small", "big", "random")]
    texts = [f"{part['files']} files of {part['plain_size'] / 1e6:.0f} MB, "
             f"{part['descriptor']['size'] / 1e6:.0f} MB compressed" for part in parts]
    print("- layers of the image: " + "; ".join(texts))


def run_cases(cases, place, runs):
    """Prints the table; whether lade did all of its work."""
    results, skipped = [], []
    print("## Measured\n")
    describe(place, runs)
    for case in cases:
        usages = measure_case(place, case, runs, skipped)
        if usages:
            results.extend(table.rows(case, usages))
    if place.has_images():
        describe_image(place)
    print("\n" + table.HEAD)
    print("\n".join(results))
    notes = [note for case in cases for note in case.notes] + [f"skipped: {reason}" for reason in skipped]
    print("\n" + "\n".join(f"- {note}" for note in dict.fromkeys(notes)))
    return not any(reason.endswith(": lade failed") for reason in skipped)


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(case.name for case in CASES))
        return True
    chosen = choose_cases(arguments)
    programs = find_programs()
    runs = int(os.environ.get("RUNS", "5"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure.adopt_orphans()
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="lade-bench.", dir=os.environ.get("BENCH_DIR"))
        folder = stack.enter_context(temporary)
        kept = sum(1 + len(case.peers) for case in chosen if case.keeps_outcome)
        needed = NEEDED_SPACE + kept * runs * KEPT_OUTCOME
        if shutil.disk_usage(folder).free < needed:
            raise SystemExit(f"bench: less than {needed >> 30} GiB free at {folder}; set BENCH_DIR")
        return run_cases(chosen, Workplace(programs, folder, os.environ.get("BENCH_CACHE"), stack), runs)


if __name__ == "__main__":
    try:
        sys.exit(0 if main(sys.argv[1:]) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
