"""CPU control by Debian's unmodified xl: placement, weights and caps, vCPUs that come and go, and what is told of them."""
import re

import insula
from insula import check
from scenarios import scenario
from test_dom0 import Admin, end_all, guest, scripted, wait_log

WINDOW = 10.0  # seconds of the guests' time
TOLERANCE = 0.05
SPIN = "share"


def vcpus(machine: Admin, domain: str = "") -> dict[tuple[str, int], list[str]]:
    """xl vcpu-list: CPU, state, seconds, hard and soft affinity of each vCPU."""
    rows = {}
    for line in machine.shell(f"xl vcpu-list {domain}").splitlines()[1:]:
        found = re.match(r"(\S+) +(\d+) +(\d+) +(\S+) +(\S+) +([\d.]+) +(\S.*?) / (\S.*?) *$", line)
        check(found is not None, f"xl vcpu-list: {line!r}")
        name, _, number, *rest = found.groups()
        rows[name, int(number)] = rest
    return rows


def spinner(machine: Admin, name: str, more: str = "", words: str = SPIN) -> None:
    guest(machine, name, "/guest/payload", 16, words, more=more)
    machine.shell(f"xl create /run/{name}.cfg", 180)
    wait_log(machine, name, "SHARE at")


def said(machine: Admin, name: str) -> list[int]:
    """What a working guest has said last: system time, work done, time run and time waited, in ns."""
    line = machine.shell(f"grep SHARE /var/log/xen/guest-{name}.log | grep -a waited | tail -n 1").strip()
    return [int(n) for n in re.match(r"SHARE at (\d+) done (\d+) ran (\d+) waited (\d+)", line).groups()]


def shares(machine: Admin, *names: str) -> dict[str, tuple[float, float, float]]:
    """Of ten seconds: the part of a CPU that each ran, the part that it waited, and its work a second."""
    machine.shell("sleep 1")
    first = {name: said(machine, name) for name in names}
    machine.shell(f"sleep {WINDOW:g}", 600)
    result = {}
    for name in names:
        at, done, ran, waited = (new - old for new, old in zip(said(machine, name), first[name]))
        result[name] = ran / at, waited / at, done / at * 1e9
    return result


def wrong_share(got: dict, wanted: dict, tolerance: float) -> str:
    """The first that had not its part, or ran and waited for something else than all of the time; nothing: all had."""
    for name, part in wanted.items():
        ran, waited, _ = got[name]
        if abs(ran - part) > tolerance * part:
            return f"{name} ran {ran:.2%} of the time, not {part:.2%}"
        if abs(ran + waited - 1) > 0.01:
            return f"{name} ran {ran:.2%} and waited {waited:.2%}"
    return ""


def expect_shares(what: str, got: dict, wanted: dict, tolerance: float = TOLERANCE) -> None:
    print(f"{what}: " + ", ".join(f"{name} ran {ran:.2%} waited {waited:.2%} work {work:.0f}/s" for name, (ran, waited, work) in got.items()), flush=True)
    wrong = wrong_share(got, wanted, tolerance)
    check(not wrong, f"{what}: {wrong}")


def both_vcpus(machine: Admin) -> None:
    """Control hypercalls of two vCPUs on two CPUs at a time: one waits while the other's is under way."""
    check(machine.shell("nproc").strip() == "2", "domain 0 has not two CPUs")
    guest(machine, "both", "/guest/payload", 128, "halt")
    machine.shell("{ while [ ! -e /run/stop ]; do xl list > /run/listed || echo failed > /run/stop; done & }")
    for _ in range(3):
        machine.shell("xl create /run/both.cfg && xl destroy both", 120)
    check(machine.shell("[ -e /run/stop ] || touch /run/stop; wait; cat /run/stop") == "", "xl list fails")


def placement(machine: Admin) -> None:
    """vcpu-pin, cpus= and cpus_soft=, and what of it is refused."""
    check(all(row[3] == "all" and row[4] == "all" for row in vcpus(machine).values()), "a vCPU of domain 0 is pinned at the start")
    machine.shell("xl vcpu-pin 0 all 0")
    guest(machine, "pinned", "/guest/payload", 16, "halt", more='cpus="1"')
    machine.shell("sed -i s/vcpus=1/vcpus=2/ /run/pinned.cfg; xl create /run/pinned.cfg", 180)
    rows = vcpus(machine)
    check([rows["pinned", i][3] for i in (0, 1)] == ["1", "1"] and rows["pinned", 0][0] == "1", f"cpus=1: {rows}")
    check(all(row[0] in "0-" and row[3] == "0" for (name, _), row in rows.items() if name == "Domain-0"), f"domain 0 was pinned to CPU 0: {rows}")
    machine.shell("xl vcpu-pin pinned 1 0 1")
    check(vcpus(machine, "pinned")["pinned", 1][3:] == ["0", "1"], "hard 0 and soft 1 are not told")
    machine.shell("xl vcpu-pin pinned 1 1 all; xl vcpu-pin pinned 0 all 0")
    check(vcpus(machine, "pinned")["pinned", 0][0] == "0", "a soft affinity moves nothing")
    # no CPU of the machine, and no such vCPU
    machine.shell("xl vcpu-pin pinned 0 77", status=1)
    machine.shell("xl vcpu-pin pinned 7 0", status=1)
    check(vcpus(machine, "pinned")["pinned", 0][3:] == ["all", "0"], "what was refused changed something")
    machine.shell("xl destroy pinned")


def weights_and_caps(machine: Admin) -> None:
    """One CPU for two domains, and ten seconds of each rule."""
    for name in ("one", "two"):
        spinner(machine, name, 'cpus="1"')
    rows = machine.shell("xl sched-credit2")
    check(re.search(r"^Cpupool Pool-0: ratelimit=1000us$", rows, re.M) is not None and re.search(r"^one +\d+ +256 +0$", rows, re.M) is not None,
          f"xl sched-credit2: {rows!r}")
    expect_shares("even", shares(machine, "one", "two"), {"one": 0.5, "two": 0.5})
    machine.shell("xl sched-credit2 -d one -w 768")
    expect_shares("weights 768 and 256", shares(machine, "one", "two"), {"one": 0.75, "two": 0.25})
    machine.shell("xl sched-credit2 -d one -c 30")
    check(re.search(r"^one +\d+ +768 +30$", machine.shell("xl sched-credit2 -d one"), re.M) is not None, "weight or cap is not told")
    expect_shares("a cap of 30", shares(machine, "one", "two"), {"one": 0.3, "two": 0.7})
    machine.shell("xl pause two")
    expect_shares("a cap of 30, alone", shares(machine, "one"), {"one": 0.3})
    machine.shell("xl unpause two")
    # as credit2 refuses them
    for wrong in ("-w 0", "-w 65536", "-c 101"):
        machine.shell(f"xl sched-credit2 -d one {wrong}", status=1)
    check(re.search(r"^one +\d+ +768 +30$", machine.shell("xl sched-credit2 -d one"), re.M) is not None, "what was refused changed something")
    machine.shell("xl sched-credit -d one", status=1)
    machine.shell("xl sched-credit2 -s -p Pool-0 -r 99", status=1)
    machine.shell("xl sched-credit2 -s -p Pool-0 -r 2000")
    check("ratelimit=2000us" in machine.shell("xl sched-credit2 -s -p Pool-0"), "the ratelimit is not told")
    machine.shell("xl sched-credit2 -s -p Pool-0 -r 1000")


def told(machine: Admin) -> None:
    """Lists, top, debug keys and pools, of domains that work."""
    rows = machine.shell("xl cpupool-list").splitlines()
    check(re.match(r"Pool-0 +2 +credit2 +y +3$", rows[1]) is not None, f"xl cpupool-list: {rows!r}")
    check(re.match(r"Pool-0 +0,1$", machine.shell("xl cpupool-list -c").splitlines()[1]) is not None, "the pool's CPUs")
    check("Operation not supported" in machine.shell("xl cpupool-cpu-remove Pool-0 1"), "the pool can be changed")
    check(re.match(r"Pool-0 +0,1$", machine.shell("xl cpupool-list -c").splitlines()[1]) is not None, "the pool has changed")
    line = next(row for row in machine.shell("xl list -v").splitlines() if row.startswith("one "))
    check(re.match(r"one +\d+ +16 +1 +[r-]----- +[\d.]+ [0-9a-f-]{36}", line) is not None, f"xl list -v: {line!r}")
    machine.shell("xl sched-credit2 -d one -c 0; xl sched-credit2 -d one -w 256; xl destroy two")
    # xentop reads the clock before it asks for anything: what one of its rounds takes longer than another is in the part that it says
    top = machine.shell("xentop -b -i 2 -d 5", 600)
    used = [float(row.split()[3]) for row in top.splitlines() if row.split()[:1] == ["one"]]
    check(len(used) == 2 and abs(used[1] - 100) <= 100 * TOLERANCE, f"xentop: {used!r} % of a CPU")
    machine.shell("xl vcpu-pin one 0 0")
    check(vcpus(machine, "one")["one", 0][0] == "0", "a vCPU that works does not move when it is pinned elsewhere")
    machine.shell("xl vcpu-pin one 0 1")
    machine.shell("xl debug-keys r; xl debug-keys q")
    log = machine.shell("xl dmesg | tail -n 40")
    check(re.search(r"d\d+v0 weight 256 cap 0%: 5000 us of 5000 us", log) is not None and "vCPU 0: CPU 1" in log, f"debug keys say {log!r}")
    machine.shell("xl trigger one power")


@scenario(weight=200)
def dom0_cpu_shares():
    """In virtual time: pinning, weights and caps within 5 % of ten seconds, what a guest's runstate says of it, and the lists."""
    with Admin("dom0-cpu-shares", "soak", "-smp", "2") as machine:
        machine.login()
        both_vcpus(machine)
        placement(machine)
        weights_and_caps(machine)
        told(machine)
        end_all(machine, "one")


BALANCED = 0.08  # of a part: a tenth of a second at a time is balanced, of which the CPUs of the emulator, in turns of milliseconds, each see a part
WINDOWS = 3  # of ten seconds, until all have theirs in one: in three of eight runs one was off by more (54 and 57 % for a half, 72 for two thirds; all parts together were more than two CPUs)
SELDOM = 2  # seconds between what a guest says, so that domain 0's part in reading it is small


def quiet_shares(machine: Admin, *names: str) -> dict[str, tuple[float, float, float]]:
    """As shares(), of guests that speak seldom: all that they said is read at the end, so that domain 0 sleeps for the ten seconds."""
    machine.shell(f"sleep {WINDOW + 3 * SELDOM:g}", 600)
    lines = {name: machine.shell(f"grep SHARE /var/log/xen/guest-{name}.log | grep -a waited | tail -n {WINDOW / SELDOM + 1:g}").splitlines() for name in names}
    result = {}
    for name in names:
        old, new = ([int(n) for n in re.match(r"SHARE at (\d+) done (\d+) ran (\d+) waited (\d+)", line).groups()] for line in (lines[name][0], lines[name][-1]))
        at, done, ran, waited = (b - a for a, b in zip(old, new))
        check(at >= WINDOW * 1e9, f"{name} has said {len(lines[name])} lines in {at / 1e9:.1f} s")
        result[name] = ran / at, waited / at, done / at * 1e9
    return result


@scenario(weight=150)
def dom0_cpu_balance():
    """Weights divide two CPUs among all that compute there, wherever they were placed, and neither is idle while two of them share the other. The
    servers and domain 0 have the others: in the emulator who wakes on a CPU has the others' time too, a few milliseconds."""
    def all_have(what: str, wanted: dict) -> None:
        for _ in range(WINDOWS):
            got = quiet_shares(machine, *wanted)
            if not wrong_share(got, wanted, BALANCED):
                break
            print(f"{what}: {wrong_share(got, wanted, BALANCED)}; once more", flush=True)
        expect_shares(what, got, wanted, BALANCED)

    with Admin("dom0-cpu-balance", "soak", "-smp", "4", options="dom0_mem=512M dom0_max_vcpus=1") as machine:
        machine.login()
        machine.shell("xl vcpu-pin 0 all 0")
        for name in ("one", "two", "three"):
            spinner(machine, name, 'cpus="2-3"', f"{SPIN} every={SELDOM * 1000}")
        all_have("three on two CPUs", {"one": 2 / 3, "two": 2 / 3, "three": 2 / 3})
        machine.shell("xl sched-credit2 -d two -w 512")
        all_have("one of them with twice the weight", {"one": 0.5, "two": 1, "three": 0.5})
        machine.shell("xl pause three; xl vcpu-pin one 0 3; xl vcpu-pin two 0 3; xl vcpu-pin one 0 2-3; xl vcpu-pin two 0 2-3")
        all_have("two that were on one CPU", {"one": 1, "two": 1})
        end_all(machine, "one", "two", "three")


@scenario(weight=60)
def dom0_cpu_waking():
    """On one CPU, beside a heavy domain and a light one that compute, a domain that wakes runs within 2 ms."""
    with Admin("dom0-cpu-waking", "soak") as machine:
        machine.login()
        for name in ("heavy", "light"):
            spinner(machine, name, words=f"{SPIN} every={SELDOM * 1000}")
        machine.shell("xl sched-credit2 -d heavy -w 2048")
        guest(machine, "wakes", "/guest/payload", 16, "wake for=200")
        machine.shell("xl create /run/wakes.cfg", 180)
        wait_log(machine, "wakes", "WAKE times 200", 240)
        worst, mean = (int(n) / 1e6 for n in re.search(r"WAKE times 200 worst (\d+) mean (\d+)", machine.shell("cat /var/log/xen/guest-wakes.log")).groups())
        print(f"waking beside one of weight 2048 and one of 256: {worst:.2f} ms at worst, {mean:.2f} ms on average", flush=True)
        check(worst <= 2, f"a waking vCPU waited {worst:.2f} ms for its turn")
        expect_shares("weights 2048 and 256", quiet_shares(machine, "heavy", "light"), {"heavy": 8 / 9, "light": 1 / 9})
        end_all(machine, "heavy", "light")


CPUS_SCRIPT = """
cd /sys/devices/system/cpu
while [ -z "$work" ]; do
for c in cpu[1-9]; do [ "$(cat $c/online 2>/dev/null)" = 0 ] && echo 1 > $c/online; done
now=$(cat online)/$(cat present)
[ "$now" = "$last" ] || echo "CPUS are $now of $(cat possible)"
last=$now
usleep 200000
[ "${now%/*}" = 0 ] && [ -n "$more" ] && work=1
[ "${now%/*}" = 0-2 ] && more=1
done
yes > /dev/null &
before=$(grep '^cpu ' /proc/stat)
sleep 5
echo "STAT $before $(grep '^cpu ' /proc/stat)"
"""


def cpu_set(machine: Admin) -> None:
    """More vCPUs than at the start, and fewer: cpu/N/availability in xenstore, which the guest's kernel watches."""
    def is_now(words: str) -> None:
        machine.shell(f"until grep -q 'CPUS are {words}' /var/log/xen/guest-hot.log; do usleep 200000; done", 600)

    scripted(machine, "hot", CPUS_SCRIPT, more="maxvcpus=3")
    machine.shell("sed -i '$acpus=\"1\"' /run/hot.cfg; xl create /run/hot.cfg", 240)
    is_now("0/0 of 0-2")
    check([row[1][:2] for row in vcpus(machine, "hot").values()][1:] == ["--", "--"], f"vCPUs that never ran: {vcpus(machine, 'hot')}")
    availability = [machine.shell(f"xenstore read /local/domain/$(xl domid hot)/cpu/{i}/availability").strip() for i in range(3)]
    check(availability == ["online", "offline", "offline"], f"availability: {availability}")
    machine.shell("xl vcpu-set --ignore-host hot 4", status=1)
    machine.shell("xl vcpu-set --ignore-host hot 3")
    is_now("0-2/0-2 of 0-2")
    check(machine.shell("xl list hot").splitlines()[1].split()[3] == "3", "xl list does not count three vCPUs")
    spinner(machine, "other", 'cpus="1"')
    machine.shell("xl vcpu-set hot 1")
    machine.shell("until tail -n 1 /var/log/xen/guest-hot.log | grep -q 'CPUS are 0/0'; do usleep 200000; done", 600)
    rows = vcpus(machine, "hot")
    check([row[0] == "-" for row in rows.values()] == [False, True, True], f"which vCPUs are down: {rows}")
    check(machine.shell("xl list hot").splitlines()[1].split()[3] == "1", "xl list does not count one vCPU")


def steal(machine: Admin) -> None:
    """What a guest is told of the time that another had: half of it."""
    words = [int(word) for word in wait_log(machine, "hot", "STAT", 600).replace("cpu", "").split()]
    used = [after - before for before, after in zip(words[:10], words[10:])]
    part = used[7] / sum(used)
    print(f"steal: {part:.1%} of {sum(used)} ticks: {used}", flush=True)
    check(abs(part - 0.5) <= 0.05, f"steal is {part:.1%} of the time")


@scenario(weight=200)
def dom0_cpu_set():
    """Debian's kernel in a domain whose vCPUs come and go, and what it says of time that it did not have."""
    with Admin("dom0-cpu-set", "soak", "-smp", "2", options="dom0_mem=512M dom0_max_vcpus=1") as machine:
        machine.login()
        machine.shell("xl vcpu-pin 0 all 0")
        cpu_set(machine)
        steal(machine)


SHARE_LINE = r"SHARE at (\d+) done (\d+) ran (\d+) waited (\d+)\s"


@scenario(weight=60)
def cpu_runstate_and_waking():
    """Without domain 0: two domains share a CPU and are told so; a third that sleeps and wakes beside them runs soon."""
    with insula.Insula("cpu-runstate", "soak", "-m", "512", options=insula.domain("one", "payload", None, 16), modules=((insula.PAYLOAD, "name=payload share"),)) as machine:
        words = {"kernel": "payload", "ramdisk": None, "memory": 16}
        machine.created("two", cmdline="share", **words)
        rows = machine.list()
        for name in ("one", "two"):
            machine.console(rows[name].id)
            # the first two seconds may be those before the other's
            lines = [[int(n) for n in machine.expect(SHARE_LINE, 120).groups()] for _ in range(16)]
            at, done, ran, waited = (new - old for new, old in zip(lines[-1], lines[8]))
            print(f"{name}: of {at / 1e9:.2f} s ran {ran / at:.2%}, waited {waited / at:.2%}, {done} done", flush=True)
            check(abs(ran / at - 0.5) <= 0.025 and abs(waited / at - 0.5) <= 0.025, f"{name}: ran {ran / at:.2%} and waited {waited / at:.2%} of the time")
        for beside in ("two", "one"):
            row = machine.created(f"beside-{beside}", cmdline="wake for=200", **words)
            machine.console(row.id)
            worst, mean = (int(n) / 1e6 for n in machine.expect(r"WAKE times 200 worst (\d+) mean (\d+)\s", 240).groups())
            print(f"waking beside {beside} that compute: {worst:.2f} ms at worst, {mean:.2f} ms on average", flush=True)
            check(worst <= 2, f"a waking vCPU waited {worst:.2f} ms for its turn")
            if beside == "two":
                machine.destroy("two")
