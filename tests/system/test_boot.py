"""The ways to start Insula, and what its user does first."""
import pathlib
import tempfile

from harness import OUT
from insula import (BANNER, INIT, INITRD, ISO, LOGIN, SHELL, VMLINUX, Insula, check, domain, make_iso)
from scenarios import scenario


def log_in(machine: Insula) -> None:
    machine.expect(LOGIN)
    machine.send("root\n")
    machine.expect(SHELL)
    machine.send("uname -s -m; echo sum $((40 + 2))\n")
    machine.expect(r"^Linux x86_64\n")
    machine.expect(r"^sum 42\n")


def boots(name: str, machine: str = "parallel", *arguments: str, **words) -> None:
    with Insula(name, machine, *arguments, **words) as insula:
        insula.expect(BANNER)
        insula.expect(INIT)
        log_in(insula)


@scenario(25)
def boot_kernel():
    boots("boot_kernel", options=domain("debian"))


@scenario(40)
def boot_bios_iso():
    boots("boot_bios_iso", cdrom=ISO)


@scenario(50)
def boot_uefi_iso():
    boots("boot_uefi_iso", "uefi", cdrom=ISO)


@scenario(25)
def boot_compressed_kernel():
    """Debian's own vmlinuz as it lies in /boot, which the hypervisor unpacks, as Xen does."""
    (image,) = (OUT / "image" / "vmlinux").resolve().parents[1].glob("deb/linux-image-*-cloud-amd64_*/boot/vmlinuz-*")
    boots("boot_compressed_kernel", options=domain("debian", kernel="vmlinuz"),
          modules=((image, "name=vmlinuz console=hvc0 quiet"), INITRD))


@scenario(30)
def boot_generic_kernel():
    boots("boot_generic_kernel", options=domain("debian"),
          modules=((OUT / "image" / "vmlinux-dom0", "name=vmlinux console=hvc0 quiet"), INITRD))


@scenario(25)
def boot_modules_without_names():
    """Without name=, a module is called by its file name."""
    boots("boot_modules_without_names", options=domain("debian"),
          modules=((VMLINUX[0], "placeholder console=hvc0 quiet"), (INITRD[0],)))


@scenario(25)
def boot_domain_with_two_vcpus():
    with Insula("boot_domain_with_two_vcpus", options=domain("debian", vcpus=2)) as insula:
        log_in(insula)
        insula.send("grep -c ^processor /proc/cpuinfo\n")
        insula.expect(r"^2\n")
        row = insula.list()["debian"]
        check(row.vcpus == 2, f"list shows {row.vcpus} vCPUs")


@scenario(25)
def boot_memory_above_4_gib():
    with Insula("boot_memory_above_4_gib", "parallel", "-m", "6144", options=domain("debian", memory=4608)) as insula:
        log_in(insula)
        insula.send("grep MemTotal /proc/meminfo\n")
        total = int(insula.expect(r"MemTotal: +(\d+) kB").group(1))
        check(total > 4_400_000, f"the guest has {total} KiB")


@scenario(30)
def boot_both_consoles():
    """With a VGA card, the start-up lines are on the screen too, and nothing changes on the serial port."""
    with Insula("boot_both_consoles", "parallel", "-device", "VGA", options=domain("debian") + " console=com1,vga") as insula:
        insula.expect(BANNER)
        insula.expect(INIT)
        insula.command("info")
        text = bytes(int(byte, 16) for line in insula.qmp.monitor("xp /4000xb 0xb8000").splitlines()
                     for byte in line.split(":")[1].split())[::2]
        check(b"Insula" in text, "the VGA text screen does not say Insula")


def type_keys(machine: Insula, text: str) -> None:
    """On the PS/2 keyboard."""
    names = {" ": "spc", "\n": "ret", "\x01": "ctrl-a"}
    for character in text:
        machine.qmp.monitor(f"sendkey {names.get(character, character)} 20")
        machine.pump(0.1)


@scenario(30)
def boot_keyboard():
    """A machine is used by its PS/2 keyboard as by its serial line."""
    with Insula("boot_keyboard", "parallel", "-device", "VGA", options=domain("debian") + " console=com1,vga") as insula:
        insula.expect(LOGIN)
        type_keys(insula, "root\n")
        insula.expect(SHELL)
        type_keys(insula, "\x01\x01\x01list\n")
        insula.expect(r"^ +1 debian ")


def picture(insula: Insula) -> tuple[bytes, int]:
    """The screen's pixels and how many of them are not black."""
    with tempfile.TemporaryDirectory(prefix="insula-screen-") as folder:
        insula.qmp.call("screendump", filename=f"{folder}/ppm")
        pixels = pathlib.Path(f"{folder}/ppm").read_bytes().split(b"\n255\n", 1)[1]
    return pixels, sum(any(pixels[at:at + 3]) for at in range(0, len(pixels), 3))


@scenario(60)
def boot_uefi_framebuffer():
    """On UEFI there is no text mode: the console server writes into the framebuffer that GRUB tells of."""
    with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
        iso = pathlib.Path(folder) / "boot.iso"
        make_iso(iso, f"console=com1,vga {domain('debian')}")
        with Insula("boot_uefi_framebuffer", "uefi", "-device", "VGA", cdrom=iso) as insula:
            insula.expect(LOGIN)
            insula.monitor()
            before, lit = picture(insula)
            check(lit > 2000, f"only {lit} points of the screen are lit")
            insula.command("help")
            check(picture(insula)[0] != before, "the screen does not change")


@scenario(40)
def monitor_commands():
    with Insula("monitor_commands", options=domain("debian")) as insula:
        log_in(insula)
        text = insula.command("help")
        for word in ("list", "create", "console", "pause", "unpause", "destroy", "shutdown", "info", "log", "poweroff", "reboot"):
            check(word in text, f"help does not mention {word}")
        check("refused" in insula.command("log", servers=True), "log does not show what the domain tried")
        info = insula.info()
        check(info["total"] > 4_000_000 and info["used"] + info["free"] <= info["total"], f"info: {info}")
        answer = insula.command("nonsense")
        check(len(answer.splitlines()) == 1, f"an unknown command is answered with {answer!r}")
        for bad in ("destroy 4711", "console 99", "pause", "create", "create x", "create x kernel=none", "pause -1",
                    "destroy 99999999999999999999", "create x kernel=vmlinux memory=0", "create x kernel=vmlinux vcpus=0",
                    "create x kernel=vmlinux memory=99999999999999999999", "a" * 2000):
            answer = insula.command(bad)
            check(len(answer.splitlines()) == 1, f"{bad[:40]!r} is answered with {answer[:200]!r}")
        check(list(insula.list()) == ["debian"], "a bad command made a domain")
        insula.leave()
        insula.send("echo back $((6 * 7))\n")
        insula.expect(r"^back 42\n")


@scenario(40)
def monitor_pause():
    with Insula("monitor_pause", "deterministic", options=domain("debian"),
                modules=((VMLINUX[0], VMLINUX[1] + " insula.test=spin"), INITRD)) as insula:
        number = insula.expect(INIT) and insula.list()["debian"].id
        insula.command(f"pause {number}")
        before = insula.list()["debian"]
        start = insula.qmp.virtual_time()
        while insula.qmp.virtual_time() < start + 3:
            insula.pump(0.2)
        after = insula.list()["debian"]
        check(after.cpu_seconds - before.cpu_seconds < 0.1, f"a paused domain ran {after.cpu_seconds - before.cpu_seconds} s")
        insula.command(f"unpause {number}")
        insula.console(number)
        first, _ = insula.fresh_report()
        check(insula.fresh_report()[0].mono > first.mono, "its clock stands still")


@scenario(40)
def monitor_ends_domains():
    """A domain that shuts down, is shut down, reboots, crashes, or is destroyed: the first one goes on."""
    with Insula("monitor_ends_domains", options=domain("debian")) as insula:
        log_in(insula)
        for mode in ("poweroff", "crash"):
            insula.created(mode, cmdline=f"console=hvc0 quiet insula.test={mode}", memory=128)
            insula.wait_gone(mode)
        row = insula.created("asked", cmdline="console=hvc0 quiet", memory=128)
        insula.command(f"shutdown {row.id}")
        insula.destroy("asked")
        check(list(insula.list()) == ["debian"], "a domain is left")
        insula.leave()
        insula.send("echo alive $((6 * 7))\n")
        insula.expect(r"^alive 42\n")


@scenario(30)
def monitor_reboots_domain():
    with Insula("monitor_reboots_domain", options=domain("debian")) as insula:
        log_in(insula)
        insula.send("reboot -f\n")
        insula.expect(INIT)
        log_in(insula)


@scenario(25)
def monitor_poweroff():
    with Insula("monitor_poweroff", options=domain("debian")) as insula:
        insula.expect(INIT)
        insula.monitor()
        insula.send("poweroff\r")
        insula.wait_end()


@scenario(25)
def monitor_reboot():
    """-no-reboot makes the emulator end where the machine would start anew."""
    with Insula("monitor_reboot", options=domain("debian")) as insula:
        insula.expect(INIT)
        insula.monitor()
        insula.send("reboot\r")
        insula.wait_end()
