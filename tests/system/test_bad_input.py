"""Machines and modules that are not as they should be: one plain line each, and nothing worse."""
import pathlib
import tempfile

from broken_acpi import MADTS
from insula import (BAD_MODULES, BANNER, INIT, INITRD, LOGIN, OPTIONS, TEST_PAYLOAD, VMLINUX, Insula, check, domain, make_iso)
from scenarios import scenario

SPIN = (VMLINUX[0], VMLINUX[1] + " insula.test=spin")


@scenario(60)
def bad_modules_refused():
    """Each damaged kernel is refused on `create`, with the same free memory as before, and the first domain works on."""
    bad = sorted(BAD_MODULES.iterdir()) if BAD_MODULES.is_dir() else []
    bad = [path for path in bad if path.stat().st_size and not path.name.startswith(".")]
    check(len(bad) > 20, "the bad modules are not built")
    modules = (SPIN, INITRD, TEST_PAYLOAD, *((path, f"name=bad-{path.name}") for path in bad))
    with Insula("bad_modules_refused", options=domain("debian"), modules=modules) as insula:
        insula.expect(INIT)
        insula.created("warm", kernel="payload", ramdisk=None, cmdline="halt")
        insula.destroy("warm")
        before = insula.info()
        for path in bad:
            insula.refused("bad", kernel=f"bad-{path.name}", ramdisk=None)
            after = insula.info()
            check(after == before, f"{path.name}: {before} became {after}")
        insula.refused("bad", kernel="initrd", ramdisk=None)
        insula.refused("bad", kernel="vmlinux", memory=8)
        insula.console(insula.list()["debian"].id)
        insula.fresh_report()


@scenario(25)
def bad_first_domain():
    """The domain of the command line cannot start: one line says so, and the monitor is there."""
    with Insula("bad_first_domain", options=domain("debian", kernel="missing"), modules=(VMLINUX,)) as insula:
        insula.expect(BANNER)
        insula.expect(r"^.*debian: no such boot module\n")
        check(not insula.list(), "there is a domain")


@scenario(25)
def bad_no_module():
    with Insula("bad_no_module", options=domain("debian"), modules=()) as insula:
        insula.expect(BANNER)
        insula.expect(r"^.*(no|not).*module.*\n|^.*vmlinux.*\n")
        check(not insula.list(), "there is a domain")


@scenario(25)
def bad_options():
    """Words of the command line that mean nothing are named and passed over."""
    options = domain("debian") + " nonsense=1 domain= domain=,, domain=x,memory=99999999999999999999 com1=banana " + "a" * 1000
    with Insula("bad_options", options=options) as insula:
        insula.expect(BANNER)
        insula.expect(INIT)


def stops(name: str, machine: str, line: str, *arguments: str, **words) -> None:
    """The machine must say one plain line and stop, without a panic's dump and without starting over."""
    with Insula(name, machine, *arguments, **words) as insula:
        insula.expect(line, 60)
        insula.quiet(BANNER, 5)
        check("login:" not in insula.text, "it went on")


@scenario(15)
def bad_no_svm():
    stops("bad_no_svm", "no-svm", r"(?i)^.*(SVM|VT-x|virtuali[sz]ation).*\n", options=domain("debian"))


@scenario(15)
def bad_little_memory():
    stops("bad_little_memory", "small", r"(?i)^.*memory.*\n", options=domain("debian"), modules=())


@scenario(15)
def bad_no_acpi():
    stops("bad_no_acpi", "no-acpi", r"(?i)^.*(ACPI|RSDP|IOAPIC).*\n", options=domain("debian"), modules=())


def boot_with_madt(wrong: str, machine: str, outcome: str) -> None:
    with tempfile.TemporaryDirectory(prefix="insula-acpi-") as folder:
        aml, iso = pathlib.Path(folder) / "madt.aml", pathlib.Path(folder) / "boot.iso"
        aml.write_bytes(MADTS[wrong])
        make_iso(iso, f"{OPTIONS} {domain('debian')}", "--acpi", aml)
        with Insula(f"bad_madt_{wrong}", machine, cdrom=iso) as insula:
            insula.expect(outcome, 90)


def madt_scenario(wrong: str) -> None:
    """Either a plain line that names the table, or, where the damage can be passed over, a domain that boots."""
    def run():
        boot_with_madt(wrong, "parallel", r"(?i)^.*(MADT|IOAPIC|ACPI).*\n|" + LOGIN)
    run.__name__ = f"bad_madt_{wrong}"
    scenario(25)(run)


for wrong_madt in MADTS:
    madt_scenario(wrong_madt)
