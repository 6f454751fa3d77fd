#!/usr/bin/env python3
"""Measures Insula and its peer in the same deterministic emulated machine, prints a table, writes build/bench.json.

`bench.py [--peer-only]`. A unit of "instructions" is a tick of the machine's time stamp counter, which counts
instructions there (tests/machines/deterministic.qemu). Exits 1 when a figure is above its limit. The peer's
figures repeat exactly, so they are kept in the cache, under the versions and options that they depend on.
"""
import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "image")]

import admin  # noqa: E402
import debian  # noqa: E402
import insula as system  # noqa: E402
from harness import OUT, Failure, Machine  # noqa: E402
from profile_reader import profile  # noqa: E402

BENCH = OUT / "bench"
MACHINE = "bench"
XEN_OPTIONS = "console=com1 com1=115200,8n1 dom0_mem={0}M,max:{0}M"
DOM0_KERNEL = OUT / "image" / "vmlinux-dom0"
INIT_MEMORY = 512  # MiB of the domain whose way to init is measured
DOMAIN_MEMORY = 64  # MiB of the domain whose overhead is measured
XEN = "Xen 4.17"
FLAT_MOST = 1.1  # the cost where there is most of everything, over that where there is least

# name as the task has it, what it is
FLAT = [
    ("mint_delete_sibling", "Mint and Delete of a capability beside N siblings"),
    ("mint_delete_other", "Mint and Delete beside N capabilities of another object"),
    ("revoke_each", "Revoke of N capabilities, each"),
    ("call_spaces", "Call and reply, N address spaces in turn"),
    ("call_threads", "Call and reply beside N ready threads"),
    ("suspend_resume", "Suspend and Resume among N ready threads"),
]

# name, what it is, unit, limit, peer's name, and the peer's figure where it is not measured here
FIGURES = [
    ("cpuid", "CPUID exit and back, guest without paging", "instructions", 1400, XEN, None),
    ("xen_version", "trivial hypercall, guest without paging", "instructions", 1800, XEN, None),
    ("rdmsr", "RDMSR exit, guest without paging", "instructions", None, XEN, None),
    ("in", "IN 0x61 exit, guest without paging", "instructions", None, XEN, None),
    ("yield", "SCHEDOP_yield, guest without paging", "instructions", None, XEN, None),
    ("cpuid_paged", "CPUID exit and back, 64-bit guest", "instructions", 1400, XEN, None),
    ("xen_version_paged", "trivial hypercall, 64-bit guest", "instructions", None, XEN, None),
    ("rdmsr_paged", "RDMSR exit, 64-bit guest", "instructions", None, XEN, None),
    ("in_paged", "IN 0x61 exit, 64-bit guest", "instructions", None, XEN, None),
    ("yield_paged", "SCHEDOP_yield, 64-bit guest", "instructions", None, XEN, None),
    ("event_round_trip", "event-channel round trip of two domains, blocking, one CPU", "instructions", 14000, XEN, 26600),
    ("call_reply_split", "Call and ReplyRecv between address spaces, split tables", "instructions", 480, "seL4 16", 509),
    ("call_reply_10_split", "the same, 10 words", "instructions", 1500, "seL4 16", 2178),
    ("fault_reply_split", "fault and reply between address spaces, split tables", "instructions", 1500, "seL4 16", 1948),
    ("signal_wake_split", "signal to a waiting thread of higher priority, split tables", "instructions", 600, None, None),
    ("call_reply", "Call and ReplyRecv, whole tables", "instructions", 480, None, None),
    ("call_reply_10", "the same, 10 words", "instructions", 1500, None, None),
    ("fault_reply", "fault and reply, whole tables", "instructions", 1500, None, None),
    ("signal_wake", "signal to a waiting thread of higher priority, whole tables", "instructions", 600, None, None),
    ("longest_revoke", "longest wait of a thread while 10,000 capabilities are revoked", "instructions", 20000, None, None),
    ("longest_delete", "longest wait while a CNode with 10,000 is deleted", "instructions", 20000, None, None),
    ("longest_retype", "longest wait while a 2 MiB frame is made", "instructions", 20000, None, None),
    ("longest_idle", "longest wait while nothing is done (for comparison)", "instructions", None, None, None),
    ("memory_64", "memory beyond a 64 MiB domain's RAM", "KiB", 1536, XEN, None),
    ("memory_kept", "kept by kernel and servers, 4 GiB, one domain", "KiB", 48 * 1024, None, None),
    ("power_on_to_init", "power-on to the first domain's init", "instructions", 2_500_000_000, XEN, None),
]


def payload_figures(text: str, prefix: str) -> dict[str, int]:
    """The payload says NAME_unpaged= and NAME=; the first is what Xen's known figures are about."""
    found = {}
    for name, value in re.findall(prefix + r"(\w+)=(\d+)", text, re.M):
        if name.endswith("_unpaged"):
            found[name.removesuffix("_unpaged")] = int(value)
        elif f"{name}_paged" in (figure[0] for figure in FIGURES):
            found[f"{name}_paged"] = int(value)
        else:
            found[name] = int(value)
    return found


def time_to_init(machine: Machine) -> int:
    """The machine is stopped when the marker arrives; init works on without idling, so the clock has not leapt."""
    machine.expect(system.INIT + r"\n", 300)
    return round(machine.stop_clock() * 1e9)


def measure_xen() -> dict[str, dict[str, int]]:
    work = (DOM0_KERNEL, "console=hvc0 quiet insula.test=spin")
    with Machine("bench-xen-init", MACHINE, kernel=BENCH / "xen", append=XEN_OPTIONS.format(INIT_MEMORY),
                 modules=(work, (OUT / "image" / "initrd",))) as machine:
        figures = {"power_on_to_init": time_to_init(machine)}
    pv, pvh = admin.measure(admin.XEN_PV), admin.measure(admin.XEN_PVH)
    own = payload_figures("".join(f"{name}={value}\n" for name, value in pv.items()), "^")
    return {"alone": figures | {f[0]: own[f[0]] for f in FIGURES if f[0] in own and f[0] not in figures} | {"memory_64": pv["xl_memory_64"]},
            "pv": pv, "pvh": pvh}


def peer_key() -> str:
    parts = [str(debian.folder(p).name) for p in ("xen-hypervisor-4.17-amd64", "xen-utils-4.17", "linux-image-amd64")]
    parts += [XEN_OPTIONS, str(profile(MACHINE)), str(profile("xen")), str(admin.MEMORY),
              subprocess.run(["qemu-system-x86_64", "--version"], check=True, capture_output=True, text=True).stdout]
    digest = hashlib.sha256("\n".join(parts).encode())
    digest.update((BENCH / "dom0.initrd").read_bytes())
    digest.update((OUT / "image" / "initrd").read_bytes())
    digest.update((OUT / "image" / "admin.initrd").read_bytes())
    return digest.hexdigest()[:20]


def xen_figures() -> dict[str, dict[str, int]]:
    kept = debian.cache() / "bench" / f"xen-{peer_key()}.json"
    if not kept.exists():
        figures = measure_xen()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(figures, indent=1) + "\n")
    return json.loads(kept.read_text())


def measure_insula_init() -> int:
    kernel = (DOM0_KERNEL, "name=vmlinux console=hvc0 quiet insula.test=spin")
    with system.Insula("bench-insula-init", MACHINE, options=system.domain("debian", memory=INIT_MEMORY),
                       modules=(kernel, system.INITRD)) as machine:
        return time_to_init(machine)


def measure_insula_domains() -> dict[str, int]:
    modules = (system.VMLINUX, system.INITRD, system.TEST_PAYLOAD)
    with system.Insula("bench-insula", MACHINE, options=system.domain("debian"), modules=modules) as machine:
        machine.expect(system.INIT)
        info, first = machine.info(), machine.list()["debian"]
        held = sum(-(-path.stat().st_size // 4096) * 4 for path, _ in modules)  # boot modules stay, for the next create
        figures = {"memory_kept": info["used"] - first.memory_mib * 1024 - held}
        payload = {"kernel": "payload", "ramdisk": None, "memory": DOMAIN_MEMORY}
        machine.created("warm", cmdline="halt", **payload)
        machine.destroy("warm")
        before = machine.info()["free"]
        machine.created("hold", cmdline="halt", **payload)
        figures["memory_64"] = before - machine.info()["free"] - DOMAIN_MEMORY * 1024
        machine.destroy("hold")
        machine.command(f"pause {first.id}")
        row = machine.created("bench", cmdline="bench", **payload)
        machine.console(row.id)
        start = machine.seen
        machine.expect("PAYLOAD done bench")
        figures.update(payload_figures(machine.text[start:], "BENCH "))
        figures["event_round_trip"] = measure_insula_events(machine, row.id + 1, payload)
    return figures


def measure_insula_events(machine: system.Insula, number: int, payload: dict) -> int | None:
    """Between domains `number` and the next."""
    machine.created("pong", cmdline=f"pong with={number + 1}", **payload)
    machine.console(number)
    machine.expect("PONG ready")
    row = machine.created("ping", cmdline=f"ping with={number}", **payload)
    machine.console(row.id)
    found = machine.expect(r"BENCH event_round_trip=(\d+)\s|PAYLOAD done ping").group(1)
    return int(found) if found else None


def measure_insula_ipc(options: str, suffix: str) -> dict[str, int]:
    """The kernel alone, with a root task of ours that measures system calls."""
    task = BENCH / "ipc_task"
    with Machine(f"bench-ipc{suffix}", MACHINE, kernel=system.KERNEL_ALONE, append=f"{system.OPTIONS} {options}",
                 modules=((task, "ipc_task"),)) as machine:
        machine.expect("BENCH done")
        return {f"{name}{suffix}": value for name, value in payload_figures(machine.text, "BENCH ").items()}


def measure_insula_flat() -> tuple[dict[str, int], dict[str, dict[int, int]]]:
    """What operations cost with little and with much beside them; the longest stretches with interrupts off."""
    with Machine("bench-flat", MACHINE, kernel=system.KERNEL_ALONE, append=f"{system.OPTIONS} xpti=1",
                 modules=((BENCH / "flat_task", "flat_task"),)) as machine:
        machine.expect("BENCH done", 600)
        flat: dict[str, dict[int, int]] = {}
        for name, n, value in re.findall(r"^FLAT (\w+) (\d+)=(\d+)", machine.text, re.M):
            flat.setdefault(name, {})[int(n)] = int(value)
        return payload_figures(machine.text, "BENCH "), flat


def flat_table(flat: dict[str, dict[int, int]]) -> bool:
    good = True
    print(f"\n{'':50}instructions with N of them")
    for name, title in FLAT:
        costs = flat.get(name, {})
        least, most = (costs[n] for n in (min(costs), max(costs))) if costs else (0, 1)
        flat_enough = most <= least * FLAT_MOST
        good = good and flat_enough
        print(f"{title:57}" + "".join(f"{n:>9,}:{value:>6,}" for n, value in sorted(costs.items())) + ("" if flat_enough else "  NOT FLAT"))
    return good


def table(rows: list[dict], limits: dict[str, int | None], titles: dict[str, str], measured: bool) -> bool:
    good = True
    print(f"{'':62}{'Insula':>15}{'at most':>15}{'peer':>15}")
    for row in rows:
        limit, value = limits[row["name"]], row["insula"]
        over = measured and limit is not None and (value is None or value > limit)
        good = good and not over

        def number(n: int | None) -> str:
            return "-" if n is None else f"{n:,}"
        print(f"{titles[row['name']]:62}{number(value):>15}{number(limit):>15}{number(row['peer']):>15} {row['unit']}"
              f"{', ' + row['peer_name'] if row['peer_name'] else ''}{'  TOO HIGH' if over else ''}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-only", action="store_true")
    options = parser.parse_args()
    peers, ours, ours_admin = xen_figures(), {}, {}
    xen = peers["alone"]
    if not options.peer_only:
        ours_admin = admin.measure(None)
        ours = measure_insula_domains()
        ours["power_on_to_init"] = measure_insula_init()
        ours |= measure_insula_ipc("xpti=1", "_split") | measure_insula_ipc("xpti=0", "")
        more, flat = measure_insula_flat()
        ours |= more
    rows = [{"name": name, "unit": unit, "insula": ours.get(name),
             "peer": (xen.get(name) if fixed is None else fixed) if peer else None, "peer_name": peer or ""}
            for name, _, unit, _, peer, fixed in FIGURES]
    good = table(rows, {f[0]: f[3] for f in FIGURES}, {f[0]: f[1] for f in FIGURES}, not options.peer_only)
    good = admin.table(ours_admin, peers["pvh"], peers["pv"]) and good
    if options.peer_only:
        return 0
    good = flat_table(flat) and good
    rows += [{"name": f"{name}_{n}", "unit": "instructions", "insula": value, "peer": None, "peer_name": ""}
             for name, costs in flat.items() for n, value in costs.items()]
    rows += admin.rows(ours_admin, peers["pvh"], peers["pv"])
    (ROOT / "build" / "bench.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"bench.py: {failure}")
