"""The archive keeps every mail once, as it came, and only for who has the secret."""

from pathlib import Path

import pytest
from mail_builders import mail

from amazon_support.mail.archive import Archive, ArchiveError

SECRET = "a secret of the tests"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", SECRET)


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
