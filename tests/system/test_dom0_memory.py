"""A domain's memory through Debian's xl: populated on demand, taken, given, plugged in above what it booted with; and the machine's figures meanwhile."""
import re

import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, guest, scripted, wait_log

# Plugged memory is made online; what it has is said with the sum of a file. Where it has more than before, it fills what is free
# with copies of the file and compares them.
MEMORY_SCRIPT = """
echo online > /sys/devices/system/memory/auto_online_blocks
mount -t tmpfs -o size=1g none /tmp && head -c 4000000 /dev/urandom > /tmp/file
echo "MEM started"; i=0; most=0
while :; do
i=$((i+1)); now=$(awk '/^MemTotal/ {print $2}' /proc/meminfo); free=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
if [ $now -gt $((most + 20000)) ] && [ $free -gt 60000 ]; then
most=$now; n=$(( (free - 40000) / 4000 ))
for k in $(seq $n); do cp /tmp/file /tmp/file.$k; done
for k in $(seq $n); do cmp /tmp/file /tmp/file.$k && rm /tmp/file.$k; done; [ "$(ls /tmp)" = file ] && echo "MEM filled $now $n"
fi
[ $now -lt $((most - 20000)) ] && most=$now
echo "MEM tick $i"; echo "MEM has $now $(sha256sum < /tmp/file | cut -c1-16)"
sleep 1
done
"""


def megabytes(machine: Admin, name: str) -> int:
    return int(machine.shell(f"xl list {name}").splitlines()[1].split()[2])


def totals(machine: Admin) -> int:
    """What is free; and free, domains and claims are never more than there is."""
    info = dict(re.findall(r"^(\w+) +: (\d+)$", machine.shell("xl info"), re.M))
    rows = machine.shell("xl list").splitlines()[1:]
    used = sum(int(row.split()[2]) for row in rows)
    free, claims, total = int(info["free_memory"]), int(info["outstanding_claims"]), int(info["total_memory"])
    insula.check(claims == 0 and free + used <= total, f"{free} MiB free, {used} used, {claims} claimed of {total}")
    return free


def balloon(machine: Admin, target: int) -> int:
    """The guest has this much afterwards, exactly; KiB that its kernel then counts."""
    ticks = int(wait_log(machine, "pod", "MEM tick"))
    machine.shell(f"xl mem-set pod {target}", 60)
    machine.shell(f"until [ $(xl list pod | awk 'NR == 2 {{print $3}}') = {target} ]; do usleep 300000; done", 300)
    machine.shell(f"until [ $(grep 'MEM tick' /var/log/xen/guest-pod.log | tail -n 1 | awk '{{print $3}}') -gt {ticks + 2} ]; do usleep 300000; done", 300)
    return int(wait_log(machine, "pod", "MEM has").split()[0])


def filled(machine: Admin, least: int) -> None:
    """It has written to what it has, of which its kernel counts so many KiB at least."""
    machine.shell(f"until grep 'MEM filled' /var/log/xen/guest-pod.log | awk '$3 >= {least}' | grep -q MEM; do usleep 300000; done", 300)


def populated_on_demand(machine: Admin) -> None:
    free = totals(machine)
    scripted(machine, "pod", MEMORY_SCRIPT, more="maxmem=256")
    machine.shell("sed -i s/memory=128/memory=160/ /run/pod.cfg; xl create -p /run/pod.cfg", 180)
    # the whole of its memory is its own from the start, and no more
    insula.check(megabytes(machine, "pod") == 160, "it has not its memory")
    taken = free - totals(machine)
    insula.check(160 <= taken <= 168, f"{taken} MiB were taken from what is free")
    machine.shell("xl unpause pod")
    wait_log(machine, "pod", "MEM filled")
    small, file = wait_log(machine, "pod", "MEM has").split()
    insula.check(megabytes(machine, "pod") == 160 and int(small) < 160 * 1024, f"its kernel counts {small} KiB")
    large = balloon(machine, 256)
    insula.check(80000 < large - int(small) < 110000, f"its kernel counted {small} KiB, then {large}")
    filled(machine, large - 20000)
    before = totals(machine)
    least = balloon(machine, 130)
    insula.check(least < int(small), f"its kernel counts {least} KiB of 130 MiB")
    insula.check(totals(machine) - before >= 80, "what it gave back is not free")
    # above what it booted with: refused until the limit allows it, then plugged in
    machine.shell("xl mem-set pod 320", status=1)
    machine.shell("xl mem-max pod 400")
    plugged = balloon(machine, 320)
    insula.check(plugged > large + 40000, f"its kernel counts {plugged} KiB of 320 MiB")
    filled(machine, plugged - 20000)
    balloon(machine, 130)
    insula.check(totals(machine) - before >= 80, "what it gave back is not free")
    insula.check(wait_log(machine, "pod", "MEM has").split()[1] == file, "a file changed")
    end_all(machine, "pod")
    left = totals(machine)
    # what domain 0 needed to map pages of a domain while it was built, it keeps for the next
    insula.check(left >= free - 5, f"free memory was {free} MiB, is {left}")


def more_than_is_kept(machine: Admin) -> None:
    """A guest without a balloon driver writes to all that it is told of: it is out of memory as on Xen, crashed and kept. Another that has as much as it is told of is not, and finds zeros
    where the first one's pages were."""
    free = totals(machine)
    guest(machine, "greedy", "/guest/payload", 16, "scrubbed", more="maxmem=64")
    machine.shell("xl create /run/greedy.cfg", 120)
    machine.shell("until xl list greedy | awk 'NR == 2 {print $5}' | grep -q c; do usleep 200000; done", 60)
    insula.check(megabytes(machine, "greedy") == 16, "it has more than it may")
    insula.check("out of the memory that is kept" in machine.shell("xl dmesg | tail -n 3"), "xl dmesg does not say why")
    end_all(machine, "greedy")
    guest(machine, "modest", "/guest/payload", 60, "hold", more="maxmem=64")
    machine.shell("xl create -p /run/modest.cfg && xl mem-set modest 64 && xl unpause modest", 120)
    said = wait_log(machine, "modest", "MEMORY bytes=")
    insula.check(said.endswith(" dirty=0 patterns=0"), f"it found {said}")
    end_all(machine, "modest")
    left = totals(machine)
    insula.check(left >= free - 2, f"free memory was {free} MiB, is {left}")


@scenario(weight=200)
def dom0_xl_memory():
    with Admin("dom0-memory") as machine:
        machine.login()
        more_than_is_kept(machine)
        # more than there is: xl says so, and nothing is left
        free = totals(machine)
        guest(machine, "huge", "/guest/payload", 1 << 20, "halt")
        said = machine.shell("xl create /run/huge.cfg && echo created", 120, status=None)
        insula.check("created" not in said and "libxl: error: " in said, f"xl create of what is not there says {said!r}")
        insula.check(totals(machine) == free and len(machine.shell("xl list").splitlines()) == 2, "something of it is left")
        populated_on_demand(machine)


def scattered(machine: Admin) -> None:
    """A guest gives back every second page of its memory: all of that is free, another domain that has no room elsewhere runs in it and finds zeros, and it comes back."""
    guest(machine, "scattered", "/guest/payload", 200, "scattered")
    start = totals(machine)
    machine.shell("xl create /run/scattered.cfg", 120)
    free = totals(machine)
    machine.shell("xl mem-set scattered 64", 60)
    pages = int(wait_log(machine, "scattered", "SCATTERED given", 240))
    gained = totals(machine) - free
    # capabilities of single pages, and tables for them, take 3 % of the 2 MiB frames that are split
    insula.check(pages > 20000 and 0.9 <= gained / (pages / 256) <= 1.01, f"{pages} pages were given back, {gained} MiB are free")
    # all that is free, but for what a domain costs and what domain 0 needs to map its pages
    guest(machine, "fits", "/guest/payload", free + gained - 12, "hold")
    machine.shell("xl create /run/fits.cfg", 240)
    said = wait_log(machine, "fits", "MEMORY bytes=", 240)
    # Xen clears what dead domains had; what a living one gives back it is to clear itself
    insula.check(machine.on_xen or said.endswith(" dirty=0 patterns=0"), f"it found {said}")
    machine.shell("xl destroy fits")
    insula.check(abs(totals(machine) - free - gained) <= 2, f"{free + gained} MiB were free, {totals(machine)} are")
    machine.shell("xl mem-set scattered 200", 60)
    said = wait_log(machine, "scattered", "SCATTERED again", 240)
    insula.check(said == f"{pages} wrong 0", f"of {pages} pages come {said}")
    insula.check(free - 10 <= totals(machine) <= free, f"{free} MiB were free, {totals(machine)} are")
    end_all(machine, "scattered")
    # 2 MiB of which all pages came back are whole again: two guests that have nothing else
    for name in ("first", "second"):
        guest(machine, name, "/guest/payload", start // 2 - 8, "hold")
        machine.shell(f"xl create /run/{name}.cfg", 240)
    end_all(machine, "first", "second")
    insula.check(totals(machine) >= start - 2, f"free memory was {start} MiB, is {totals(machine)}")


@scenario(weight=120, on_xen=True)
def dom0_scattered_memory():
    """Memory that guests give back is free for others by the page."""
    with Admin("dom0-scattered", "deterministic", "-m", "1024", options="dom0_mem=448M") as machine:
        machine.login()
        scattered(machine)


def own_target(machine: Admin, target: int) -> None:
    """Domain 0 has this much afterwards, to a MiB, and its kernel counts no more."""
    machine.shell(f"xl mem-set 0 {target}")
    machine.shell(f"until xl list 0 | awk 'NR == 2 {{exit $3 < {target - 1} || $3 > {target + 1}}}'; do usleep 300000; done", 300)
    counted = int(machine.shell("awk '/^MemTotal/ {print $2}' /proc/meminfo"))
    insula.check(counted <= target * 1024, f"domain 0's kernel counts {counted} KiB of {target} MiB")


@scenario(weight=80, on_xen=True)
def dom0_gives_memory():
    """Domain 0 gives memory, a guest that had not fitted runs in it, and domain 0 gets it back, twice; what it has in memory stays what it was."""
    with Admin("dom0-gives", options="dom0_mem=1024M") as machine:
        machine.login()
        machine.shell("head -c 150000000 /dev/urandom > /run/file; sha256sum < /run/file > /run/sum", 120)
        machine.shell("xl mem-set 0 64", status=1)  # libxl's least is 128 MiB
        before = totals(machine)
        guest(machine, "large", "/guest/payload", before + 150, "hold")
        for _ in range(2):
            machine.shell("! xl create /run/large.cfg 2>/run/why", 120)
            machine.shell("grep -q 'Out of memory' /run/why")
            own_target(machine, 600)
            given = totals(machine) - before
            insula.check(given >= 400, f"{given} MiB of 424 are free")
            machine.shell("rm -f /var/log/xen/guest-large.log; xl create /run/large.cfg", 120)
            said = wait_log(machine, "large", "MEMORY bytes=")
            insula.check(said.endswith(" dirty=0 patterns=0"), f"it found {said}")
            end_all(machine, "large")
            own_target(machine, 1024)
            after = totals(machine)
            insula.check(after >= before - 40, f"free memory was {before} MiB, is {after}")
        machine.shell("xl mem-max 0 1024; [ \"$(sha256sum < /run/file)\" = \"$(cat /run/sum)\" ]", 60)
