#!/usr/bin/env python3
"""run.py KERNEL --domain WORDS --module FILE[=WORDS]...: boots Insula in QEMU, its serial port on this terminal.

With hardware virtualization where the host offers it to nested machines, else in software. Extra QEMU arguments
come from QEMU_ARGS. `make run` calls this.
"""
import argparse
import os
import pathlib
import shlex
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "machines"))
from profile_reader import module_argument, profile  # noqa: E402

NESTED = ("/sys/module/kvm_amd/parameters/nested", "/sys/module/kvm_intel/parameters/nested")


def has_nested_kvm() -> bool:
    """/dev/kvm alone says nothing: the CPU must have SVM or VT-x, and the host must pass it on."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    if "svm" not in flags and "vmx" not in flags:
        return False
    return any(pathlib.Path(p).exists() and pathlib.Path(p).read_text().strip() in ("1", "Y") for p in NESTED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernel")
    parser.add_argument("--options", default="")
    parser.add_argument("--module", action="append", default=[])
    options = parser.parse_args()
    modules = [module_argument(*m.split("=", 1)) for m in options.module]
    command = ["qemu-system-x86_64", *profile("kvm" if has_nested_kvm() else "parallel"),
               "-kernel", options.kernel, "-append", options.options,
               "-chardev", "stdio,id=serial0,signal=off", "-serial", "chardev:serial0", *shlex.split(os.environ.get("QEMU_ARGS", ""))]
    if modules:
        command += ["-initrd", ",".join(modules)]
    print("Insula in QEMU. Ctrl-A three times moves the keyboard to Insula's monitor and back; `poweroff` there ends it.", flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
