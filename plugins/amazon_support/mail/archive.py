"""Keeps raw mail: encrypted, named by its content, the same mail once."""

import gzip
import hashlib
import os
import re
import secrets
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12  # bytes, as AES-GCM wants it
NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ArchiveError(Exception):
    """A mail cannot be kept or read; the message says which, where and what to do."""


class Archive:
    """Mails under `folder`, as ab/cdef….mail: gzip, then AES-256-GCM with a key derived from `secret`.

    Args:
        folder: made when it is needed.
        secret: whoever has it can read every mail; without it none can be read again.

    Raises: ArchiveError if the secret is empty.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        if not secret:
            raise ArchiveError("The mail archive has no secret: give one before mail is read.")
        self.folder = folder
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"amazon-support mail archive").derive(
            secret.encode()
        )
        self._cipher = AESGCM(key)

    def put(self, raw: bytes) -> str:
        """Keeps the mail; once it returns, the mail survives a crash. The same mail is stored once.

        Returns: its name, the sha256 hex of the bytes.

        Raises: ArchiveError if it cannot be written.
        """
        name = hashlib.sha256(raw).hexdigest()
        path = self._path(name)
        if not path.exists():
            nonce = secrets.token_bytes(NONCE)
            sealed = nonce + self._cipher.encrypt(nonce, gzip.compress(raw, mtime=0), name.encode())
            try:
                _write(path, sealed)
            except OSError as error:
                raise ArchiveError(
                    f"Mail {name[:16]} cannot be kept in {path.parent} ({error.strerror}): check space and rights."
                ) from error
        return name

    def get(self, name: str) -> bytes:
        """The mail of that name, as it came.

        Raises: ArchiveError if there is none, or if it was written with another secret or changed since.
        """
        path = self._path(name)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            raise ArchiveError(f"No mail {name[:16]} in {self.folder}: was the archive moved?") from None
        except OSError as error:
            raise ArchiveError(f"Mail {name[:16]} cannot be read ({error.strerror}): check {path}.") from error
        try:
            return gzip.decompress(self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name.encode()))
        except (InvalidTag, ValueError, OSError, EOFError, zlib.error):
            raise ArchiveError(
                f"Mail {name[:16]} cannot be opened: the secret is not the one it was kept with, or {path} was changed."
            ) from None

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ArchiveError("That is no name of an archived mail: 64 hex digits were expected.")
        return self.folder / name[:2] / f"{name[2:]}.mail"


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: to a file beside it, then renamed."""
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
