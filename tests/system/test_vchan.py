"""libxenvchan, by a program of ours (tests/programs/vchan.c): between two ordinary domains, and between one and domain 0, either of which serves."""
import os
import sys

import insula
from harness import OUT, ROOT
from scenarios import scenario
from test_dom0 import ON_XEN
from test_driver_domains import Prepared

sys.path.insert(0, str(ROOT / "image"))
import xen_tools  # noqa: E402

MIB = int(os.environ.get("VCHAN_MIB", "8"))  # each way
BYTES, WALL = MIB << 20, 240 + 4 * MIB
LIBRARY = "libxenvchan.so.4.17"

# The one that connects is made first: the other lets it read the channel's nodes, which only a domain that is there is let.
TWO = f"""
peer=$(($(xenstore-read domid) + 1)); vchan connect $peer /local/domain/$peer/data/channel {BYTES}
"""
ONE = f"""
peer=$(($(xenstore-read domid) - 1)); vchan serve $peer data/channel {BYTES}
vchan serve 0 data/vchan {BYTES}
vchan connect 0 /local/domain/0/data/vchan {BYTES}
vchan serve 0 data/killed 1000000000000
vchan connect 0 /local/domain/0/data/last 1000000000000
"""


class Channels(Prepared):
    def prepare(self) -> None:
        self.limit += 3 * WALL
        files = {"bin/vchan": OUT / "tests" / "vchan", f"lib/{LIBRARY}": xen_tools.libraries()[LIBRARY]}
        self.driver("two", TWO, files=files)
        self.driver("one", ONE, files=files)
        for where, source in files.items():
            self.files.copy(source, where)


def granter_gone(machine: Channels) -> None:
    """Domain 0 is ended by the monitor while another uses pages of it: it stays until that one has ended, too."""
    machine.shell("vchan serve $one data/last 1000000000000 & usleep 2000000; kill -0 $!", 60)
    machine.command("destroy 0")
    rows = machine.list()
    insula.check([(row.id, row.state == "dying") for row in rows.values()] == [(0, True), (2, False)], f"left are {rows!r}")
    machine.command("destroy 2")
    machine.wait_gone("Domain-0")
    insula.check(not machine.list(), "a domain is still there")


@scenario(90, on_xen=True)
def dom0_vchan():
    """As many bytes as VCHAN_MIB says, each way over each channel, all of them compared; who closes last is told that the other has, and so is one whose
    other end is killed."""
    with Channels("vchan") as machine:
        machine.login()
        machine.shell("sh /run/join", 120)
        machine.shell("xl create /run/two.cfg && xl create /run/one.cfg", 240)
        machine.said("two", "VCHAN connect ok", WALL)
        said = machine.shell(f"one=$(xl domid one); at=/local/domain/$one/data; vchan connect $one $at/vchan {BYTES}", WALL)
        insula.check("VCHAN connect ok" in said, f"domain 0 said {said!r}")
        said = machine.shell(f"vchan serve $one data/vchan {BYTES}", WALL)
        insula.check("VCHAN serve ok" in said, f"domain 0 said {said!r}")
        machine.said("one", "VCHAN connect ok")
        machine.shell("(vchan connect $one $at/killed 1000000000000 & until xenstore-read $at/killed/event-channel; do usleep 100000; done; usleep 1000000; kill -9 $!)", 240)
        machine.said("one", "VCHAN serve: closed by the other end")
        count = machine.shell("grep -c 'VCHAN serve ok' /var/log/xen/guest-one.log")
        insula.check(count.strip() == "2", f"the first served {count!r} channels")
        # one that ends leaves nothing
        machine.shell("xl destroy two; while xl list | grep -q null; do usleep 200000; done; [ $(xl list | wc -l) = 3 ]", 120)
        if not ON_XEN:
            granter_gone(machine)
