#!/usr/bin/env python3
"""Runs the host tests and the scenarios. `run.py [--host FOLDER] [--results FILE] [--on-xen] [--jobs N] [--list] [NAME...]`

A scenario is a function marked with @scenario in a file of this folder. Each prints PASS or FAIL with why; the last
line counts, and the exit status says whether all passed. A cmocka program counts as many times as it has tests.
--on-xen: the scenarios that are about Xen's own behaviour, on real Xen.
--results: lines PASS and FAIL that another runner left in a file are printed and counted as well.
"""
import argparse
import concurrent.futures
import importlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import scenarios  # noqa: E402
from harness import LOGS, Failure  # noqa: E402

OUTPUT = threading.Lock()
ATTEMPTS = 6  # where the emulated machine is at fault


class Count:
    def __init__(self):
        self.passed, self.failures = 0, []

    @property
    def failed(self) -> int:
        return len(self.failures)

    def say(self, name: str, why: str | None, seconds: float, times: int = 1, kind: str = "") -> None:
        with OUTPUT:
            if why is None:
                self.passed += times
                print(f"PASS {name}{kind} ({seconds:.1f} s)", flush=True)
            else:
                self.failures.append(f"FAIL {name}: {why}")
                print(self.failures[-1], flush=True)


def host_test(program: pathlib.Path, root: pathlib.Path, count: Count) -> None:
    """cmocka's TAP output: one line for each test. A program that dies has failed, whatever it printed."""
    name, start = str(program.relative_to(root)), time.monotonic()
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=300, env=environment,
                              stdin=subprocess.DEVNULL)
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        output, status = str(error), -1
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"host-{name.replace('/', '-')}").write_text(output)
    passed = re.findall(r"^ok \d+", output, re.M)
    failed = re.findall(r"^not ok \d+ - (\S+)", output, re.M)
    for test in failed:
        count.say(f"{name} {test}", "see its log", 0)
    if status and not failed:
        found = re.search(r"(ERROR: AddressSanitizer.*|runtime error.*)", output)
        count.say(name, f"ended with {status}: {found.group(1) if found else 'see its log'}", 0)
    elif not passed and not failed:
        count.say(name, "ran no test", 0)
    elif passed:
        count.say(name, None, time.monotonic() - start, len(passed), f" {len(passed)} tests")


def earlier_results(path: pathlib.Path, count: Count) -> None:
    """What proofs/prove.py left: one line for each unit. None at all is a failure."""
    lines = path.read_text().splitlines() if path.is_file() else []
    for line in lines:
        print(line, flush=True)
    count.passed += sum(line.startswith("PASS ") for line in lines)
    count.failures += [line for line in lines if not line.startswith("PASS ")]
    if not lines:
        count.say(str(path), "no results", 0)


def run_scenario(entry: scenarios.Scenario, count: Count) -> None:
    start, why = time.monotonic(), None
    try:
        for attempt in range(ATTEMPTS):
            try:
                entry.function()
                break
            except scenarios.Again as again:
                if attempt == ATTEMPTS - 1:
                    raise
                with OUTPUT:
                    print(f"AGAIN {entry.name}: {again}", flush=True)
    except Failure as failure:
        why = str(failure)
    except Exception as error:  # a bug of the scenario is a failure of the scenario, not of the run
        why = f"{type(error).__name__}: {error} ({traceback.extract_tb(error.__traceback__)[-1].lineno})"
    count.say(entry.name, why, time.monotonic() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--on-xen", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(os.cpu_count() or 1, 1))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.on_xen:  # read where an admin VM is started
        os.environ["INSULA_HYPERVISOR"] = "xen"
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    chosen = [s for s in scenarios.ALL if not options.names or any(re.fullmatch(n, s.name) for n in options.names)]
    if options.on_xen:
        chosen = [s for s in chosen if s.on_xen]
    if options.list:
        print("\n".join(s.name for s in chosen))
        return 0
    if not chosen and not options.host:
        print("no scenario has this name")
        return 1
    count = Count()
    if options.results and not options.names:
        earlier_results(options.results, count)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = []
        if options.host and not options.names:
            programs = sorted(p for p in options.host.rglob("*_test") if p.is_file() and os.access(p, os.X_OK))
            work += [pool.submit(host_test, p, options.host, count) for p in programs]
        # the longest first, so that none of them is left to run alone at the end
        work += [pool.submit(run_scenario, s, count) for s in sorted(chosen, key=lambda s: -s.weight)]
        for item in work:
            item.result()
    if count.failures:  # once more, where they are seen
        print("\n".join(["", *count.failures]))
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
