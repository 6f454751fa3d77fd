"""What users of an admin VM wait for and what their guests' devices cost, measured by bench/xen/measure inside it: the same files on
Insula, on Xen with a PVH domain 0, and on Xen with a PV one, in the deterministic machine."""
import contextlib
import re
import tempfile

import insula as system
from harness import OUT, Failure, Machine

BENCH = OUT / "bench"
DOM0_KERNEL = OUT / "image" / "vmlinux-dom0"
MEMORY = 1024  # MiB of domain 0
XEN_PVH, XEN_PV = "Xen, PVH domain 0", "Xen, PV domain 0"
ATTEMPTS = 4

# name, what it is, unit, limit or None
FIGURES = [
    ("power_on_to_init", "power-on to domain 0's init", "instructions", 2_800_000_000),
    ("xl_create_debian", "xl create of a 128 MiB Linux guest returns", "instructions", 600_000_000),
    ("xl_create_to_init", "the same, to the guest's init", "instructions", 2_000_000_000),
    ("xl_destroy_debian", "xl destroy of it", "instructions", 45_000_000),
    ("xl_create_16", "xl create of a 16 MiB guest without an OS", "instructions", 50_000_000),
    ("xl_destroy_16", "xl destroy of it", "instructions", 30_000_000),
    ("xl_memory_16", "memory beyond its RAM: 16 MiB guest", "KiB", 1024),
    ("xl_memory_64", "memory beyond its RAM: 64 MiB guest", "KiB", 1280),
    ("xl_memory_256", "memory beyond its RAM: 256 MiB guest", "KiB", 2048),
    ("tcp", "TCP from a guest to domain 0, each 100 bytes", "instructions", 600),
    ("udp", "UDP, 1,400 bytes from a guest to domain 0", "instructions", 60_000),
    ("read_1048576", "1 MiB read from a RAM disk in domain 0", "instructions", 950_000),
    ("read_65536", "64 KiB read from it", "instructions", 200_000),
    ("read_4096", "4 KiB read from it", "instructions", 140_000),
    ("foreign_page", "map and unmap of one page of another domain", "instructions", 6_000),
    ("foreign_page_of_64", "the same of each of 64 that are mapped at once", "instructions", 6_000),
    ("driver_tcp", "TCP from a guest to a driver domain, each 100 bytes", "instructions", 700),
    ("through_tcp", "TCP through a driver domain to a guest, 100 bytes", "instructions", 700),
    ("driver_read_1048576", "1 MiB read from a RAM disk in a driver domain", "instructions", 950_000),
    ("driver_read_65536", "64 KiB read from it", "instructions", 200_000),
    ("driver_read_4096", "4 KiB read from it", "instructions", 140_000),
    ("many_create_10", "the 10th of 100 domains of 32 MiB: xl create", "instructions", None),
    ("many_create_100", "the 100th", "instructions", None),
    ("many_ratio", "the 100th against the 10th, in hundredths", "", 130),
    ("many_e_ratio", "the same of xl create -e, which leaves no process", "", None),
    ("idle_60_s", "idle machine with its admin VM, 60 s", "instructions", 40_000_000),
]


def figures(text: str) -> dict[str, int]:
    """FIGURE NAME=VALUE, and of the transfers the cost of their unit."""
    found = {name: int(value) for name, value in re.findall(r"^FIGURE (\w+)=(\d+)", text, re.M)}
    for name, count, units in (("tcp", "tcp_bytes", 100), ("udp", "udp_packets", 1), ("driver_tcp", "driver_tcp_bytes", 100),
                               ("through_tcp", "through_tcp_bytes", 100)):
        if found.get(count):
            found[name] = found[f"{name}_ticks"] * units // found[count]
    for how in ("many", "many_e"):
        if found.get(f"{how}_create_10"):
            found[f"{how}_ratio"] = found[f"{how}_create_100"] * 100 // found[f"{how}_create_10"]
    return found


def machine_of(peer: str | None, name: str, root, words: str, memory: int, *arguments: str) -> Machine:
    """An admin VM of this root file system and these words for its kernel; peer: XEN_PVH, XEN_PV, or None for Insula."""
    if peer is None:
        return system.Insula(f"bench-{name}", "bench", *arguments, options=f"dom0_mem={memory}M", limit=2400, modules=(
            (DOM0_KERNEL, f"name=vmlinux console=hvc0 quiet {words}"), (root, "name=initrd")))
    options = f"{system.OPTIONS} dom0_mem={memory}M,max:{memory}M" + (" dom0=pvh dom0_max_vcpus=1" if peer == XEN_PVH else "")
    return Machine(f"bench-{name}-xen-{'pvh' if peer == XEN_PVH else 'pv'}", "xen" if peer == XEN_PVH else "bench", *arguments,
                   kernel=BENCH / "xen", append=options, limit=2400, modules=((DOM0_KERNEL, f"console=hvc0 quiet {words}"), (root,)))


def measure_work(peer: str | None, memory: int) -> dict[str, int]:
    with machine_of(peer, "admin", BENCH / "dom0.initrd", "insula.run=/bin/measure", memory) as machine:
        machine.expect(system.INIT + r"\n", 600)
        first = round(machine.stop_clock() * 1e9)
        machine.go_on()
        machine.expect(r"^FIGURES done", 1800, never=r"(?i)\bpanic\b.*|crashed.*")
        return {"power_on_to_init": first} | figures(machine.text)


def measure_many(peer: str | None, memory: int) -> dict[str, int]:
    with machine_of(peer, "many", BENCH / "dom0.initrd", "insula.run=/bin/measure insula.part=many", memory, "-m", "8192") as machine:
        machine.expect(r"^FIGURES done", 3600, never=r"(?i)\bpanic\b.*|crashed.*")
        found = figures(machine.text)
        if found.get("many_running") != 100:
            raise Failure(f"{found.get('many_running')} domains of 100 run")
        return found


def measure_idle(peer: str | None, memory: int) -> int:
    """Somebody could log in, and nobody does. Where idle time leaps, instructions are counted by the emulator."""
    with tempfile.NamedTemporaryFile() as file, contextlib.ExitStack() as stack:
        machine = stack.enter_context(machine_of(peer, "idle", OUT / "image" / "admin.initrd", "", memory, "-plugin",
                                                 f"{BENCH / 'instruction_count.so'},count={file.name}"))

        def after(seconds: float) -> tuple[float, int]:
            start = machine.virtual_time()
            while machine.virtual_time() < start + seconds:
                machine.pump(0.02)
            file.seek(0)
            return machine.virtual_time(), int.from_bytes(file.read(8), "little")

        machine.expect(system.LOGIN, 600)
        (start, before), (end, now) = after(10), after(60)
        return round((now - before) * 60 / (end - start))


def measure(peer: str | None) -> dict[str, int]:
    """QEMU 7.2 may deliver an interrupt that Xen injects twice, and a PVH domain 0 does not survive that: then with a little less memory, which
    makes another run of it."""
    for attempt in range(ATTEMPTS):
        try:
            found = measure_work(peer, MEMORY - attempt)
            return found | measure_many(peer, MEMORY - attempt) | {"idle_60_s": measure_idle(peer, MEMORY - attempt)}
        except Failure:
            if peer is None or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def table(ours: dict[str, int], pvh: dict[str, int], pv: dict[str, int]) -> bool:
    """Whether every figure of ours is there and within its limit; without ours, the peers' alone."""
    def number(value: int | None) -> str:
        return "-" if value is None else f"{value:,}"

    good = True
    print(f"\n{'':48}{'Insula':>15}{'at most':>15}{XEN_PVH:>19}{XEN_PV:>19}")
    for name, title, unit, limit in FIGURES:
        value = ours.get(name)
        over = bool(ours) and (value is None or limit is not None and value > limit)
        good = good and not over
        print(f"{title:48}{number(value):>15}{number(limit):>15}{number(pvh.get(name)):>19}{number(pv.get(name)):>19} {unit}{'  TOO HIGH' if over else ''}")
    return good


def rows(ours: dict[str, int], pvh: dict[str, int], pv: dict[str, int]) -> list[dict]:
    return [{"name": f"admin_{name}", "unit": unit, "insula": ours.get(name), "peer": pvh.get(name), "peer_name": XEN_PVH, "pv": pv.get(name)}
            for name, _, unit, _ in FIGURES]
