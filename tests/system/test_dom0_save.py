"""Domains saved to a file and restored from it, through Debian's xl."""
import re

import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, scripted, wait_log

# It counts, says the time, and looks at a file in its memory.
SCRIPT = """
mount -t tmpfs none /tmp && head -c 3000000 /dev/urandom > /tmp/file; sum=$(sha256sum < /tmp/file); i=0
while :; do i=$((i+1)); echo "SAVE tick $i $(date +%s) $([ "$(sha256sum < /tmp/file)" = "$sum" ] && echo same)"; sleep 1; done
"""


@scenario(weight=100, on_xen=True)
def dom0_xl_save():
    with Admin("dom0-save", limit=900) as machine:
        machine.login()
        scripted(machine, "one", SCRIPT)
        machine.shell("sed -i s/memory=128/memory=96/ /run/one.cfg; xl create /run/one.cfg", 180)
        wait_log(machine, "one", "SAVE tick 3")
        machine.shell("xl save one /run/one.save 2>/run/said", 300)
        insula.check(len(machine.shell("xl list").splitlines()) == 2, "a domain that has been saved is still there")
        machine.shell("xl restore /run/one.cfg /run/one.save 2>/run/said", 300)  # so it is told of by the file, and asks for msr_relaxed
        machine.shell("until grep -q 'SAVE tick 7' /var/log/xen/guest-one.log; do usleep 200000; done", 240)
        ticks = re.findall(r"^SAVE tick (\d+) (\d+) ?(.*?)\r?$", machine.shell("grep 'SAVE tick' /var/log/xen/guest-one.log"), re.M)
        counts, times = [int(count) for count, _, _ in ticks], [int(when) for _, when, _ in ticks]
        insula.check(counts == list(range(counts[0], counts[0] + len(counts))) and counts[-1] >= 7, f"it has counted {counts!r}")
        insula.check(times == sorted(times) and all(what == "same" for _, _, what in ticks), f"it says {ticks!r}")
        insula.check(abs(int(machine.shell("date +%s")) - times[-1]) <= 5, f"its clock says {times[-1]}")
        end_all(machine, "one")
