"""Keeps raw mail: encrypted, named by its content, the same mail once; in a local folder or an object store."""

import fcntl
import gzip
import hashlib
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# A sealed mail: format, which key, nonce, what AES-GCM made of the gzipped mail. Format and key are sealed with it.
FORMAT = b"\x01"
KEY_ID = 4  # bytes
HEADER = len(FORMAT) + KEY_ID
NONCE = 12  # bytes, as AES-GCM wants it
NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
FILE_NAME = re.compile(r"([0-9a-f]{62})\.mail", re.ASCII)


class ArchiveError(Exception):
    """A mail cannot be kept or read; the message says which, where and what to do."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. `resealed` had another key; `unopened` are names of mails that no given secret opens."""

    mails: int
    resealed: int
    unopened: tuple[str, ...]


class Archive:
    """Mails under `folder`, as ab/cdef….mail: gzip, then AES-256-GCM with a key derived from a secret.

    Args:
        folder: a Path, or what works as one, such as Airflow's ObjectStoragePath; made when it is needed.
        secret: seals what is kept. Whoever has it can read every mail; without it none can be read again.
        previous: secrets of before, which still open what they sealed.

    Raises: ArchiveError if a secret is empty.
    """

    def __init__(self, folder: Path, secret: str, previous: Sequence[str] = ()) -> None:
        if not all((secret, *previous)):
            raise ArchiveError("The mail archive has no secret: give one before mail is read.")
        self.folder = folder
        self._ciphers = {_key_id(each): _cipher(each) for each in (secret, *previous)}
        self._current = _key_id(secret)

    def put(self, raw: bytes) -> str:
        """Keeps the mail; once it returns, the mail survives a crash. The same mail is stored once.

        Returns: its name, the sha256 hex of the bytes.

        Raises: ArchiveError if it cannot be written.
        """
        name = name_of(raw)
        path = self._path(name)
        with _told(f"Mail {name[:16]} cannot be kept in {path.parent} ({{}}): check space and rights."):
            if not path.exists():
                _write(path, self._sealed(name, gzip.compress(raw, mtime=0)))
        return name

    def get(self, name: str) -> bytes:
        """The mail of that name, as it came.

        Raises: ArchiveError if there is none, or if it was written with another secret or changed since.
        """
        packed = self._opened(name, self._read(name))
        try:
            return gzip.decompress(packed)
        except (OSError, EOFError, zlib.error):
            raise self._unopened(name) from None

    def remove(self, name: str) -> bool:
        """Takes a mail out, for good. Returns whether it was there.

        Raises: ArchiveError if it is there and cannot be taken out.
        """
        path = self._path(name)
        with _told(f"Mail {name[:16]} cannot be removed from {path.parent} ({{}}): check rights."), _alone(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def unfinished(self, before: datetime) -> list[Path]:
        """Files of mails that were being written when somebody was killed, before that instant (aware UTC)."""
        if not isinstance(self.folder, Path):
            return []  # an object is there whole or not at all
        files = self.folder.glob("??/*.tmp")
        return [file for file in files if file.stat().st_mtime < before.timestamp()]

    def rotate(self, progress: Callable[[int, int], None] = lambda seen, resealed: None) -> Rotated:
        """Seals with the current secret what another one sealed.

        May be stopped at any moment and begun again: each mail is replaced whole, and says which key it has.
        A mail that cannot be opened is left as it is, and named.

        Args:
            progress: called after each mail with the mails seen and sealed again so far.

        Raises: ArchiveError if the folder cannot be read or written.
        """
        seen, resealed, unopened = 0, 0, []
        for name in self.names():
            path = self._path(name)
            trouble = f"Mail {name[:16]} cannot be sealed again in {path.parent} ({{}}): check space and rights."
            with _told(trouble), _alone(path):
                sealed = self._read_if_there(name)
                if sealed and not sealed.startswith(FORMAT + self._current):
                    try:
                        _write(path, self._sealed(name, self._opened(name, sealed)))
                        resealed += 1
                    except ArchiveError:
                        unopened.append(name)
            seen += 1
            progress(seen, resealed)
        return Rotated(seen, resealed, tuple(unopened))

    def names(self, beginning: str = "") -> Iterator[str]:
        """Names of all mails, or of those that begin with a hex digit or two, without holding them all in memory.

        Raises: ArchiveError if the folder cannot be read.
        """
        with _told(f"The archive {self.folder} cannot be read ({{}}): check that it is there, and rights."):
            parts = sorted(part.name for part in self.folder.iterdir()) if self.folder.exists() else []
            for part in parts:
                if re.fullmatch(r"[0-9a-f]{2}", part) and part.startswith(beginning):
                    files = [FILE_NAME.fullmatch(file.name) for file in (self.folder / part).iterdir()]
                    yield from (part + file[1] for file in files if file)

    def kept_since(self, name: str) -> float:
        """Seconds since 1970 (UTC) at which the mail was written last.

        Raises: ArchiveError if it is not there.
        """
        return self._stat(name).st_mtime

    def size(self, name: str) -> int:
        """Bytes of the mail as it is kept.

        Raises: ArchiveError if it is not there.
        """
        return self._stat(name).st_size

    def _stat(self, name: str) -> os.stat_result:
        with _told(f"Mail {name[:16]} in {self.folder} cannot be looked at ({{}})."):
            return self._path(name).stat()

    def _sealed(self, name: str, packed: bytes) -> bytes:
        header, nonce = FORMAT + self._current, secrets.token_bytes(NONCE)
        return header + nonce + self._ciphers[self._current].encrypt(nonce, packed, header + name.encode())

    def _read(self, name: str) -> bytes:
        path = self._path(name)
        with _told(f"Mail {name[:16]} cannot be read ({{}}): check {path}."):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise ArchiveError(f"No mail {name[:16]} in {self.folder}: was the archive moved?") from None

    def _read_if_there(self, name: str) -> bytes | None:
        """None: it was removed since its name was read."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def _opened(self, name: str, sealed: bytes) -> bytes:
        header, nonce, content = sealed[:HEADER], sealed[HEADER : HEADER + NONCE], sealed[HEADER + NONCE :]
        cipher = self._ciphers.get(header[len(FORMAT) :]) if header.startswith(FORMAT) else None
        try:
            if cipher:
                return cipher.decrypt(nonce, content, header + name.encode())
        except (InvalidTag, ValueError):
            pass
        raise self._unopened(name)

    def _unopened(self, name: str) -> ArchiveError:
        return ArchiveError(
            f"Mail {name[:16]} cannot be opened: the secret is none of those it was kept with, or {self._path(name)} "
            "was changed."
        )

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ArchiveError("That is no name of an archived mail: 64 hex digits were expected.")
        return self.folder / name[:2] / f"{name[2:]}.mail"


def name_of(raw: bytes) -> str:
    """Name under which the archive keeps a mail: the sha256 hex of its bytes."""
    return hashlib.sha256(raw).hexdigest()


def _cipher(secret: str) -> AESGCM:
    return AESGCM(_derived(secret, b"amazon-support mail archive", 32))


def _key_id(secret: str) -> bytes:
    return _derived(secret, b"amazon-support mail archive, key id", KEY_ID)


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(secret.encode())


@contextmanager
def _told(message: str) -> Iterator[None]:
    """Turns what a folder or an object store can raise into one message; `{}` in it stands for the trouble."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:  # the clients of object stores have errors of their own
        trouble = getattr(error, "strerror", None) or type(error).__name__
        raise ArchiveError(message.replace("{}", trouble)) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else removes or seals a mail beside it meanwhile: what is removed must not be written again.

    Object stores know no locks: there the nightly removal finds what came back.
    """
    if not isinstance(path, Path) or not path.parent.is_dir():
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: to a file beside it, then renamed. An object of a store is there once it is closed."""
    if not isinstance(path, Path):
        path.write_bytes(data)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is on disk, too
    finally:
        os.close(folder)
