"""The archive keeps every mail once, as it came, and only for who has the secret."""

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest
from mail_builders import mail

from amazon_support.mail.archive import Archive, ArchiveError

SECRET = "a secret of the tests"
_stores = itertools.count(1)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", SECRET)


@pytest.fixture(params=["folder", "object store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where an archive may be."""
    if request.param == "folder":
        return tmp_path / "archive"
    from airflow.sdk import ObjectStoragePath

    store: Path = ObjectStoragePath(f"memory://bucket-{next(_stores)}/mail")
    return store


def files(archive: Archive) -> list[Path]:
    return sorted(path for path in archive.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("raw", [b"", b"\0", mail(), bytes(range(256)) * 4000], ids=["empty", "null", "mail", "big"])
def test_a_mail_comes_back_as_it_was(archive: Archive, raw: bytes) -> None:
    assert archive.get(archive.put(raw)) == raw


def test_another_process_with_the_secret_reads_it(archive: Archive) -> None:
    assert Archive(archive.folder, SECRET).get(archive.put(mail())) == mail()


def test_it_lies_under_the_name_of_its_content_and_is_nobodys_to_read(archive: Archive) -> None:
    name = archive.put(mail())
    (path,) = files(archive)
    assert path == archive.folder / name[:2] / f"{name[2:]}.mail"
    assert len(name) == 64
    assert b"Teekanne" not in path.read_bytes() and b"amazon" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_the_same_mail_is_stored_once(archive: Archive) -> None:
    first = archive.put(mail())
    (path,) = files(archive)
    before = path.read_bytes()
    assert archive.put(mail()) == first
    assert files(archive) == [path]
    assert path.read_bytes() == before


def test_two_mails_have_two_names(archive: Archive) -> None:
    assert archive.put(b"a") != archive.put(b"b")
    assert len(files(archive)) == 2


@pytest.mark.parametrize("change", [0, 5, 12, 40, -1])
def test_a_changed_file_is_refused(archive: Archive, change: int) -> None:
    name = archive.put(mail())
    (path,) = files(archive)
    data = bytearray(path.read_bytes())
    data[change] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be opened"):
        archive.get(name)


@pytest.mark.parametrize("length", [0, 3, 12, 20])
def test_a_shortened_file_is_refused(archive: Archive, length: int) -> None:
    name = archive.put(mail())
    (path,) = files(archive)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ArchiveError, match="cannot be opened"):
        archive.get(name)


def test_a_file_under_another_name_is_refused(archive: Archive) -> None:
    first, second = archive.put(b"first"), archive.put(b"second")
    path = archive.folder / second[:2] / f"{second[2:]}.mail"
    path.write_bytes((archive.folder / first[:2] / f"{first[2:]}.mail").read_bytes())
    with pytest.raises(ArchiveError, match="cannot be opened"):
        archive.get(second)


def test_another_secret_opens_nothing(archive: Archive) -> None:
    name = archive.put(mail())
    with pytest.raises(ArchiveError, match="secret"):
        Archive(archive.folder, "another secret").get(name)


def test_a_missing_mail_is_named(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match=f"No mail {'ab' * 8} in"):
        archive.get("ab" * 32)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_what_is_no_name_is_refused(archive: Archive, name: str) -> None:
    with pytest.raises(ArchiveError, match="64 hex digits"):
        archive.get(name)


def test_an_archive_without_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no secret"):
        Archive(tmp_path, "")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveError, match="check space and rights"):
        Archive(tmp_path / "file", SECRET).put(b"x")


def test_nothing_unfinished_is_left(archive: Archive) -> None:
    archive.put(mail())
    assert [path.suffix for path in files(archive)] == [".mail"]


# ---------- object stores


def test_an_object_store_works_as_a_folder_does(place: Path) -> None:
    archive = Archive(place, SECRET)
    name = archive.put(mail())
    assert archive.put(mail()) == name
    assert Archive(place, SECRET).get(name) == mail()
    assert [path.name for path in (place / name[:2]).iterdir()] == [f"{name[2:]}.mail"]
    with pytest.raises(ArchiveError, match="No mail"):
        archive.get("ab" * 32)


def test_the_trouble_of_an_object_store_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise RuntimeError("no rights for key AKIA123")

    archive = Archive(place, SECRET)
    name = archive.put(mail())
    monkeypatch.setattr(type(place), "read_bytes", refuse)
    with pytest.raises(ArchiveError, match=r"cannot be read \(RuntimeError\)"):
        archive.get(name)


# ---------- another secret


def rotated(place: Path) -> Archive:
    return Archive(place, "the new secret", [SECRET])


def test_after_a_change_of_the_secret_both_open_and_the_new_one_seals(place: Path) -> None:
    before = Archive(place, SECRET).put(b"before")
    after = rotated(place).put(b"after")
    assert [rotated(place).get(name) for name in (before, after)] == [b"before", b"after"]
    assert Archive(place, "the new secret").get(after) == b"after"
    with pytest.raises(ArchiveError, match="none of those"):
        Archive(place, SECRET).get(after)


def test_rotation_seals_again_what_the_old_secret_sealed(place: Path) -> None:
    names = [Archive(place, SECRET).put(b"%d" % number) for number in range(20)]
    names.append(rotated(place).put(b"new"))
    seen: list[tuple[int, int]] = []
    result = rotated(place).rotate(lambda *counts: seen.append(counts))
    assert (result.mails, result.resealed, result.unopened) == (21, 20, ())
    assert seen[-1] == (21, 20) and len(seen) == 21
    alone = Archive(place, "the new secret")
    assert [alone.get(name) for name in names] == [b"%d" % number for number in range(20)] + [b"new"]
    assert rotated(place).rotate().resealed == 0


def test_a_rotation_that_was_killed_goes_on(place: Path) -> None:
    names = [Archive(place, SECRET).put(b"%d" % number) for number in range(10)]

    def killed(seen: int, resealed: int) -> None:
        if resealed == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotated(place).rotate(killed)
    assert [rotated(place).get(name) for name in names] == [b"%d" % number for number in range(10)]
    assert rotated(place).rotate().resealed == 6


def test_what_is_removed_while_it_is_sealed_again_stays_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Archive(tmp_path, SECRET).put(b"forget me")
    archive = rotated(tmp_path)
    seal = archive._sealed
    remover = threading.Thread(target=archive.remove, args=(name,))

    def sealed(*arguments: Any) -> bytes:
        remover.start()
        remover.join(0.3)  # it waits until the mail is written
        return seal(*arguments)

    monkeypatch.setattr(archive, "_sealed", sealed)
    archive.rotate()
    remover.join()
    assert list(archive.names()) == []


def test_rotation_names_what_it_cannot_open_and_goes_on(place: Path) -> None:
    lost = Archive(place, "a forgotten secret").put(b"lost")
    kept = Archive(place, SECRET).put(b"kept")
    result = rotated(place).rotate()
    assert (result.resealed, result.unopened) == (1, (lost,))
    assert Archive(place, "the new secret").get(kept) == b"kept"
    assert Archive(place, "a forgotten secret").get(lost) == b"lost", "left as it was"


def test_an_archive_that_is_not_there_yet_has_nothing_to_rotate(place: Path) -> None:
    assert rotated(place).rotate().mails == 0


@pytest.mark.parametrize("change", [0, 1, 4])
def test_the_name_of_the_key_is_sealed_too(tmp_path: Path, change: int) -> None:
    archive = rotated(tmp_path)
    name = archive.put(mail())
    (path,) = files(archive)
    data = bytearray(path.read_bytes())
    data[change] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be opened"):
        archive.get(name)
