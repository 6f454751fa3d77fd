"""Writes a root file system as a newc cpio archive, the same bytes for the same content.

Files are sorted, belong to root, and carry one fixed time. Used for the guests' initramfs and the benchmark's admin VM.
"""
import gzip
import os
import pathlib
import stat

TIME = 1767225600  # 2026-01-01, as the emulated machines' clock


class Archive:
    def __init__(self):
        self.nodes: dict[str, tuple[int, bytes, int, int]] = {}  # path -> mode, content, device major, minor

    def _add(self, path: str, mode: int, content: bytes = b"", major: int = 0, minor: int = 0) -> None:
        path = path.strip("/")
        parent = os.path.dirname(path)
        if parent and parent not in self.nodes:
            self.directory(parent)
        self.nodes[path] = (mode, content, major, minor)

    def directory(self, path: str, mode: int = 0o755) -> None:
        self._add(path, stat.S_IFDIR | mode)

    def file(self, path: str, content: bytes | str, mode: int = 0o644) -> None:
        self._add(path, stat.S_IFREG | mode, content.encode() if isinstance(content, str) else content)

    def link(self, path: str, target: str) -> None:
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        self._add(path, stat.S_IFCHR | mode, b"", major, minor)

    def copy(self, source: pathlib.Path, path: str) -> None:
        """A file, link or folder of the host, with all below it."""
        if source.is_symlink():
            self.link(path, os.readlink(source))
        elif source.is_dir():
            self.directory(path)
            for entry in source.iterdir():
                self.copy(entry, f"{path}/{entry.name}")
        else:
            self.file(path, source.read_bytes(), 0o755 if os.access(source, os.X_OK) else 0o644)

    def newc(self) -> bytes:
        out = bytearray()

        def put(inode: int, name: str, mode: int, content: bytes, major: int, minor: int) -> None:
            raw = name.encode() + b"\0"
            links = 2 if stat.S_ISDIR(mode) else 1
            words = (inode, mode, 0, 0, links, TIME, len(content), 0, 0, major, minor, len(raw), 0)
            out.extend(b"070701" + b"".join(b"%08X" % w for w in words) + raw)
            out.extend(bytes(-len(out) % 4))
            out.extend(content)
            out.extend(bytes(-len(out) % 4))

        for inode, name in enumerate(sorted(self.nodes), 1):
            put(inode, name, *self.nodes[name])
        put(0, "TRAILER!!!", 0, b"", 0, 0)
        out.extend(bytes(-len(out) % 512))
        return bytes(out)

    def write(self, target: str, compress: bool = True) -> None:
        data = self.newc()
        if compress:
            data = gzip.compress(data, 6, mtime=0)
        temporary = f"{target}.{os.getpid()}"
        with open(temporary, "wb") as f:
            f.write(data)
        os.replace(temporary, target)
