#!/usr/bin/env python3
"""mkiso.py OUT --kernel FILE [--options WORDS] [--module FILE[=WORDS]]... [--acpi FILE]
[--grub COMMAND]: an ISO that boots on BIOS and on UEFI.

GRUB loads the kernel through multiboot 2 with its modules, without waiting, and speaks on the serial port too.
--acpi (for tests) puts a table in the place of the machine's own of the same name, --grub has GRUB do something first. A module's WORDS are its string as the kernel sees it (multiboot 2 gives no file name, so it should say name=...).
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CONFIGURATION = """\
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
if [ "$grub_platform" = efi ]; then
	# without it GRUB finds no framebuffer to tell the kernel of
	insmod all_video
fi
set timeout=0
set default=0
{before}menuentry "{title}" {{
	multiboot2 /boot/{kernel} {options}
{modules}}}
"""


def make(out: str, kernel: pathlib.Path, options: str, modules: list[tuple[pathlib.Path, str]], title: str,
         acpi: pathlib.Path | None = None, command: str = "") -> None:
    with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
        boot = pathlib.Path(folder) / "boot"
        (boot / "grub").mkdir(parents=True)
        shutil.copy(kernel, boot / kernel.name)
        lines = ""
        for path, words in modules:
            shutil.copy(path, boot / path.name)
            lines += f"\tmodule2 --nounzip /boot/{path.name} {words}\n"
        before = f"{command}\n" if command else ""
        if acpi:
            shutil.copy(acpi, boot / "table.aml")
            before += f"acpi --exclude={acpi.read_bytes()[:4].decode()} /boot/table.aml\n"
        (boot / "grub" / "grub.cfg").write_text(
            CONFIGURATION.format(before=before, title=title, kernel=kernel.name, options=options, modules=lines))
        temporary = f"{out}.{os.getpid()}"
        made = subprocess.run(["grub-mkrescue", "-o", temporary, "--fonts=", "--locales=", "--themes=", folder,
                               "--", "-volid", "INSULA"], capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"mkiso.py: grub-mkrescue failed: {made.stderr.strip()}")
        os.replace(temporary, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--options", default="")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--title", default="Insula")
    parser.add_argument("--acpi", type=pathlib.Path)
    parser.add_argument("--grub", default="")
    options = parser.parse_args()
    modules = [(pathlib.Path(m.partition("=")[0]), m.partition("=")[2]) for m in options.module]
    make(options.out, options.kernel, options.options, modules, options.title, options.acpi, options.grub)


if __name__ == "__main__":
    main()
