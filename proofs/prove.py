#!/usr/bin/env python3
"""Proves the units of this folder with Frama-C WP. `prove.py [--results FILE] [--mutants] [UNIT...]`

A unit is a file x.c: contracts, and the kernel's source that they are about, included. Its `// proves:` lines name the functions (none:
all). It passes if every goal is proved, Frama-C warns of nothing, and there are as many goals as STATUS.md says, or more. The
axioms about words and bits are the unit `bits` (bits.py). Other axioms must be named in STATUS.md.
With --mutants: each mistake listed below is put into the source, and must make a proof fail.
--results: the lines go to a file, for tests/system/run.py to count.
"""
import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = pathlib.Path(os.environ.get("INSULA_OUT", ROOT / "build/out")).resolve() / "proofs"
GEN = OUT / "gen"
sys.path.insert(0, str(HERE))

import bits  # noqa: E402
from mutants import MUTANTS  # noqa: E402

# What a prover needs is about a second at most; the rest is for machines that have other things to do.
STEPS = 1000000  # of CVC4, which ends after as many on any machine; what is proved takes a fifth of that at most
MUTANT_STEPS = STEPS // 4  # still more than that: what is not proved in as many is not proved because of the mistake
SECONDS = int(os.environ.get("PROVE_SECONDS", "120"))  # for a goal
MUTANT_SECONDS = 8 * SECONDS  # for all goals of one mutant: what has no answer by then counts as not found
WHY3 = """[main]
datadir = "/usr/share/why3"
libdir = "/usr/lib/ocaml/why3"
magic = 14
memlimit = 2000
running_provers_max = 2
timelimit = 5

[partial_prover]
name = "CVC4"
path = "/usr/bin/cvc4"
version = "1.8"
"""


def prepare() -> None:
    """Accessors with contracts, and which prover there is: nothing of the user's own settings counts."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "why3.conf").write_text(WHY3)
    for top in "hw", "kernel", "lib", "proto":
        for layout in sorted((ROOT / top).rglob("*.fields")):
            path = layout.relative_to(ROOT)
            header = GEN / path.with_name(path.stem + "_fields.h")
            header.parent.mkdir(parents=True, exist_ok=True)
            done = subprocess.run([sys.executable, "hw/fields.py", "--acsl", str(path)], cwd=ROOT, capture_output=True, text=True,
                                  check=True)
            header.write_text(done.stdout)


def functions(unit: str) -> list[str]:
    return " ".join(re.findall(r"^// proves:(.*)$", (HERE / f"{unit}.c").read_text(), re.M)).split()


def run_bounded(command: list[str], seconds: int | None) -> str:
    """What it says; it and the provers that it started end after so many seconds."""
    process = subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", env=dict(os.environ, WHY3CONFIG=str(OUT / "why3.conf")),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        log, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0] + f"\nended after {seconds} s"
    return log + (f"\nended with {process.returncode}" if process.returncode else "")


def frama_c(unit: str, names: list[str], first: list[pathlib.Path], steps: int = STEPS, seconds: int | None = None) -> str:
    """What Frama-C says; headers and sources are looked for in `first` before all else."""
    places = [*first, ROOT, ROOT / "kernel", ROOT / "lib", ROOT / "abi", GEN, GEN / "kernel"]
    command = ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-cpp-extra-args=" + " ".join(f"-I{p}" for p in places),
               "-wp", "-wp-rte", "-wp-cache", "none", "-wp-par", "1", "-wp-prover", "cvc4", "-wp-timeout", str(SECONDS),
               "-wp-steps", str(steps)]
    command += re.findall(r"^// wp: *(\S+)$", (HERE / f"{unit}.c").read_text(), re.M)
    if names:
        command += ["-wp-fct", ",".join(names)]
    return run_bounded([*command, f"proofs/{unit}.c"], seconds)


def verdict(log: str) -> tuple[int, int, list[str]]:
    """Goals proved, goals there are, and what is wrong."""
    wrong = [m.group(1) for m in re.finditer(r"^\[wp\] \[[^]]*\] Goal (\S+) : (?!Valid)", log, re.M)]
    lines = log.split("\n")
    for i, line in enumerate(lines):
        if "Warning" in line and not re.search(r"annotating", line):
            wrong.append((line + " " + (lines[i + 1].strip() if i + 1 < len(lines) else "")).strip())
        elif "User Error" in line or line.startswith("ended with"):
            wrong.append(line)
    found = re.search(r"Proved goals: +(\d+) / (\d+)", log)
    proved, total = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if not total:
        wrong.append("no goal")
    elif proved < total and not wrong:
        wrong.append(f"{total - proved} goals are not proved")
    return proved, total, wrong


def recorded(status: str, unit: str) -> int:
    found = re.search(rf"^\| `{unit}` \| (\d+) \|", status, re.M)
    return int(found.group(1)) if found else sys.maxsize


def run_unit(unit: str, status: str) -> tuple[str, list[str]]:
    log = frama_c(unit, functions(unit), [])
    (OUT / f"{unit}.log").write_text(log)
    _, total, wrong = verdict(log)
    if not wrong and total < recorded(status, unit):
        wrong.append(f"STATUS.md records {recorded(status, unit)} goals for it, there are {total}")
    return f"{total} goals", wrong


def run_bits(status: str) -> tuple[str, list[str]]:
    """The axioms of this folder and of the generated headers, but for those that STATUS.md names as assumed."""
    answers, wrong = [], []
    for path in sorted([*HERE.glob("*.[ch]"), *GEN.rglob("*.h")]):
        text = path.read_text()
        for name, _ in bits.axioms(text):
            if f"`{name}`" in status:
                text = re.sub(rf"\baxiom {name}:.*?;(?=\s*(?:axiom|\}}))", "", text, flags=re.S)
        answers += bits.prove(text, 10 * SECONDS)
        wrong += [f"{path.name}: admit" for _ in re.findall(r"\badmit\b", text)]
    wrong += [f"axiom {name}" for name, proved in answers if not proved]
    if not wrong and len(answers) < recorded(status, "bits"):
        wrong.append(f"STATUS.md records {recorded(status, 'bits')} axioms, there are {len(answers)}")
    return f"{len(answers)} goals", wrong


@functools.lru_cache
def proved_without(unit: str, names: tuple[str, ...]) -> frozenset[str]:
    """The goals of these functions that are proved as they are, within a mutant's steps."""
    log = frama_c(unit, list(names), [], MUTANT_STEPS, MUTANT_SECONDS)
    return frozenset(re.findall(r"^\[wp\] \[[^]]*\] Goal (\S+) : Valid", log, re.M))


def run_mutant(number: int) -> tuple[str, list[str]]:
    """The goal that found this mistake, or why it was not found. A prover that ran out of time has found nothing: its steps have to
    end first, or its wits, at a goal that it proves without the mistake."""
    unit, path, old, new, names = MUTANTS[number]
    source = ROOT / path if (ROOT / path).exists() else GEN / path
    text = source.read_text()
    if text.count(old) != 1:
        return "", [f"`{old}` is in {path} {text.count(old)} times"]
    place = OUT / f"mutants/{number}"
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_text(text.replace(old, new))
    log = frama_c(unit, names, [place, place / "kernel", place / "lib"], MUTANT_STEPS, MUTANT_SECONDS)
    (OUT / f"mutant-{number}.log").write_text(log)
    _, total, _ = verdict(log)
    if "User Error" in log or (not total and not re.search("goals? scheduled", log)):
        return "", ["Frama-C did not read it"]
    lost = re.findall(r"^\[wp\] \[[^]]*\] Goal (\S+) : (?!Valid)(\w+)", log, re.M)
    if not lost:
        return "", ["all is proved" if total else f"no answer within {MUTANT_SECONDS} s"]
    found = [goal for goal, how in lost if how in ("Unknown", "Step") and goal in proved_without(unit, tuple(names))]
    return (found[0], []) if found else ("", ["no answer in time: " + ", ".join(goal for goal, _ in lost)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("units", nargs="*")
    options = parser.parse_args()
    prepare()
    status = (HERE / "STATUS.md").read_text()
    units = options.units or ["bits"] + sorted((p.stem for p in HERE.glob("*.c")), key=lambda u: -recorded(status, u))
    if options.mutants:
        work = {f"mutant {n} {m[0]}: {m[1]}": (lambda n=n: run_mutant(n)) for n, m in enumerate(MUTANTS)
                if not options.units or m[0] in options.units}
    else:
        work = {u: (lambda u=u: run_bits(status) if u == "bits" else run_unit(u, status)) for u in units}
    lines, failed = [], 0

    def timed(job):
        start = time.monotonic()
        return *job(), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(3) as pool:  # a unit waits for its provers now and then: three keep two CPUs busy
        jobs = {pool.submit(timed, job): name for name, job in work.items()}
        for done in concurrent.futures.as_completed(jobs):
            name, (what, wrong, seconds) = jobs[done], done.result()
            if wrong:
                failed += 1
                lines.append(f"FAIL proofs/{name}: {'; '.join(wrong[:5])}{' ...' if len(wrong) > 5 else ''}")
            else:
                lines.append(f"PASS proofs/{name} {what} ({seconds:.1f} s)")
            if not options.results:
                print(lines[-1], flush=True)
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text("\n".join(lines) + "\n")
        return 0
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
