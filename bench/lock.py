#!/usr/bin/env python3
"""What operations have of the kernel lock, on 1, 2, 4 and 8 CPUs of the deterministic emulated machine (docs/decisions/0009).

A root task (tests/roottask/lock_bench) does the same on all CPUs at once, on a kernel that counts (boot option lock-count). Prints a table and writes
build/lock.json. A tick of the machine's time stamp counter is an instruction. Exits 1 when a VM exit takes the lock.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "image")]

import insula as system  # noqa: E402
from harness import OUT, Failure, Machine  # noqa: E402

CPUS = (1, 2, 4, 8)
COUNTING = 9  # instructions of the counting itself between its two readings (kernel/entry/entry.S)
LINE = re.compile(r"LOCK cpus=(\d+) op=(\w+) operations=(\d+) acquisitions=(\d+) ticks=(\d+) passed=(\d+)")
TITLES = {
    "call_reply": "Call and ReplyRecv",
    "signal": "signal to a thread above, and its wait",
    "signal_cross": "signal to the next CPU and back",
    "fault": "fault and reply",
    "map": "map and unmap a page, space of its own",
    "map_shared": "the same, all other CPUs in the space",
    "retype": "retype a notification, delete it",
    "vmexit": "CPUID exit through the VMM, state page",
    "vmexit_own": "the same, and an exit the kernel answers",
    "vmexit_message": "CPUID exit, VMEnter's message",
}
NO_LOCK = ("vmexit", "vmexit_own", "vmexit_message")


def measure(cpus: int) -> list[dict]:
    with Machine(f"bench-lock-{cpus}", "deterministic", "-smp", str(cpus), "-m", "512", kernel=system.KERNEL_ALONE,
                 append=f"{system.OPTIONS} lock-count", modules=((OUT / "bench" / "lock_task", "lock_task"),), limit=1200) as machine:
        machine.expect(r"LOCK done", 1100, never=r"failed: .*|panic.*|LOCK guest: .*")
        rows = [(name, [int(n) for n in numbers]) for _, name, *numbers in LINE.findall(machine.text)]
    return [{"op": name, "cpus": cpus, "acquisitions": taken / n, "held": (ticks - COUNTING * taken) / n, "instructions": passed / n}
            for name, (n, taken, ticks, passed) in rows if name in TITLES]


def table(rows: list[dict]) -> None:
    print(f"{'per operation':42}" + "".join(f"{f'{n} CPU' + ('s' if n > 1 else ''):>24}" for n in CPUS))
    print(f"{'':42}" + f"{'taken':>8}{'held':>8}{'of all':>8}" * len(CPUS))
    for name, title in TITLES.items():
        line = f"{title:42}"
        for cpus in CPUS:
            r = next(row for row in rows if row["op"] == name and row["cpus"] == cpus)
            line += f"{r['acquisitions']:8.2f}{r['held']:8.0f}{r['held'] / r['instructions']:8.0%}"
        print(line)


def main() -> int:
    rows = [row for cpus in CPUS for row in measure(cpus)]
    table(rows)
    (ROOT / "build" / "lock.json").write_text(json.dumps(rows, indent=1) + "\n")
    bad = [row for row in rows if row["op"] in NO_LOCK and row["acquisitions"] > 0.01]
    for row in bad:
        print(f"{row['op']} takes the lock: {row}")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"lock.py: {failure}")
