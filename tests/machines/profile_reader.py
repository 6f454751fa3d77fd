"""Reads the emulator profiles beside this file: NAME.qemu has QEMU arguments, NAME.bochs Bochs options, one a line; `include NAME`, # comments."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def profile(name: str) -> list[str]:
    """The emulator's arguments in tests/machines/NAME.qemu; a later option replaces an earlier one of the same kind."""
    options: list[list[str]] = []
    for line in (HERE / f"{name}.qemu").read_text().splitlines():
        words = line.split("#")[0].split(None, 1)
        if not words:
            continue
        if words[0] == "include":
            flat = profile(words[1].strip())
            while flat:
                option = [flat.pop(0)]
                if flat and not flat[0].startswith("-"):
                    option.append(flat.pop(0))
                options.append(option)
            continue
        if words[0] not in ("-drive", "-device"):
            options = [o for o in options if o[0] != words[0]]
        options.append([w.strip() for w in words])
    return [word for option in options for word in option]


def bochs_profile(name: str) -> list[str]:
    """Bochs's options in tests/machines/NAME.bochs; a later one replaces an earlier one of the same name."""
    options: dict[str, str] = {}
    for line in (HERE / f"{name}.bochs").read_text().splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("include "):
            options.update((o.split(":")[0], o) for o in bochs_profile(text.split()[1]))
        elif text:
            options[text.split(":")[0]] = text
    return list(options.values())


def module_argument(path, words: str = "") -> str:
    """One module for -initrd, where a comma separates modules and a doubled one stands for itself."""
    return f"{path} {words}".strip().replace(",", ",,")
