"""A guest that can make its vmm fail: it is the only one that does."""
import re
import subprocess

import insula
from harness import OUT, Failure
from scenarios import scenario
from test_dom0 import Admin, end_all, guest

WHERE = "physmap_call_balloon"  # nobody else gives memory back here
UD2 = b"\x0f\x0b"


def file_offset(elf, address: int) -> int:
    for line in subprocess.run(["readelf", "-lW", elf], check=True, capture_output=True, text=True).stdout.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"] and 0 <= address - int(words[2], 16) < int(words[4], 16):
            return int(words[1], 16) + address - int(words[2], 16)
    raise Failure(f"{address:#x} is not in {elf}")


def frail_image():
    """Insula with a vmm that fails where a guest gives memory back."""
    elf, path = OUT / "user" / "vmm.elf", OUT / "tests" / "insula-frail"
    symbols = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
    at = file_offset(elf, int(re.search(rf"^([0-9a-f]+) \w {WHERE}$", symbols, re.M).group(1), 16))
    code, image = elf.read_bytes()[at:at + 48], insula.KERNEL.read_bytes()
    insula.check(image.count(code) == 1, f"{WHERE} is {image.count(code)} times in the image")
    path.write_bytes(image.replace(code, UD2 + code[len(UD2):]))
    return path


class Frail(Admin):
    def __init__(self, name: str):
        self.image = frail_image()
        super().__init__(name)


@scenario(weight=40)
def vmm_fails():
    """The domain has crashed, for xl as any other: none of its vCPUs runs on, others are as they were, and it can be destroyed."""
    with Frail("vmm-fails") as machine:
        machine.login()
        guest(machine, "frail", "/guest/payload", 16, "give_back")
        machine.shell("sed -i 's/vcpus=1/vcpus=2/' /run/frail.cfg")
        guest(machine, "other", "/guest/payload", 16, "halt")
        machine.shell("xl create -q /run/other.cfg && xl destroy other && until [ $(xl list | wc -l) = 2 ]; do usleep 50000; done", 60)
        free = machine.shell("xl info free_memory")
        machine.shell("xl create -q /run/frail.cfg && xl create -q /run/other.cfg", 60)
        machine.shell("until xl list frail | grep -q 'frail .* [-rbpsd]*c[-d]* '; do usleep 50000; done", 60)
        insula.check(re.search(r"^domain_manager: domain \d+ \(.*\) crashed: its vmm failed", machine.text, re.M) is not None, "Insula's log does not say so")
        machine.shell("xl pause frail && xl unpause frail")
        used = [machine.shell("xl list frail | awk 'END {print $NF}'; sleep 2") for _ in range(2)]
        insula.check(used[0] == used[1], f"its other vCPU runs on: {used!r}")
        insula.check("other" in machine.shell("xl list other"), "the other domain is gone")
        end_all(machine, "frail", "other")
        insula.check(machine.shell("xl info free_memory") == free, "not all of its memory came back")
