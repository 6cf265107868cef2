# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster backup`: the databases as they are at one moment, in one file that only its owner opens.

The file is a tar in age's form (age-encryption.org), made for a public key; the private one stays
with whoever restores. The sealing key is not in it: beside the database it would open everything.
"""

import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from muster_server.errors import SettingsError, StoreError
from muster_server.private_files import named, read_private, write_once
from muster_server.settings import ROLES

DATABASES = tuple(f"{role}.sqlite" for role in ROLES)
_BESIDE = ("admin-token.sha256", "settings.toml")
_BUSY_S = 30.0
_LARGEST_BESIDE = 1024 * 1024


def make_key(path: Path) -> str:
    """Write a new private key there; return the public one. SettingsError if the file is there."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    if not write_once(path, str(identity)):
        raise SettingsError(f"{path} is there already; name another file")
    return str(identity.to_public())


def make(data: Path, to: Path, recipient: str) -> int:
    """Write the backup, beside running servers; its size in bytes. SettingsError if the public key
    is none, if there is no database, or if the file is there already; StoreError if the databases
    stay busy.
    """
    from pyrage import encrypt_io

    key = _recipient(recipient)
    if to.exists():
        raise SettingsError(f"--to: {to} is there already; a backup is never written over")
    present = [name for name in DATABASES if (data / name).exists()]
    if not present:
        raise SettingsError(f"--data: {data} has no database")
    draft = to.with_name(to.name + ".part")
    with tempfile.TemporaryDirectory(dir=data, prefix=".backup-") as folder:
        _copy(data, Path(folder), present)
        packed = Path(folder) / "packed"
        _pack(data, Path(folder), present, packed)
        with named("--to", to):
            try:
                with packed.open("rb") as plain, _private(draft) as sealed:
                    encrypt_io(plain, sealed, [key])
                    sealed.flush()
                    os.fsync(sealed.fileno())
                draft.replace(to)
            finally:
                draft.unlink(missing_ok=True)
    return to.stat().st_size


def restore(file: Path, data: Path, identity_file: Path) -> list[str]:
    """Unpack a backup into a folder without databases; the names of what was restored.

    SettingsError if there is something already, or the key is not the backup's; StoreError if a
    database in it is not whole. Then nothing is left behind.
    """
    from pyrage import DecryptError, IdentityError, decrypt_io, x25519

    there = [name for name in DATABASES if (data / name).exists()]
    if there:
        raise SettingsError(f"--data: {data} has {there[0]} already; move it away first")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with named("--identity-file", identity_file):
            identity = x25519.Identity.from_str(_key_line(read_private(identity_file)))
    except IdentityError:
        raise SettingsError(f"--identity-file: {identity_file} holds no private key") from None
    with tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
        packed = Path(folder) / "packed"
        with named("the backup", file):
            sealed = file.open("rb")
        with sealed, _private(packed) as plain:
            try:
                decrypt_io(sealed, plain, [identity])
            except (DecryptError, OSError) as error:
                # What is wrong with a piece in the middle comes as an error of the system's kind,
                # but without its number.
                if isinstance(error, OSError) and error.errno is not None:
                    raise StoreError(f"{data}: {error.strerror}") from None
                raise SettingsError(
                    f"{file} does not open with this key: it was made for another one, or changed"
                ) from None
        return _unpack(packed, Path(folder), data)


def _copy(data: Path, folder: Path, names: list[str]) -> None:
    """Copy all databases as they are at one moment: while nobody may write to any of them, a
    snapshot of each is begun; then the servers go on, and the snapshots are copied.
    """
    try:
        with ExitStack() as opened:
            snapshots = {}
            with ExitStack() as held:
                for name in names:
                    _hold(held, data / name)
                for name in names:
                    snapshots[name] = _snapshot(opened, data / name)
            for name, snapshot in snapshots.items():
                (folder / name).touch(0o600)
                with closing(sqlite3.connect(folder / name)) as copy:
                    snapshot.backup(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StoreError(f"the databases cannot be copied ({error}); try again") from None


def _hold(held: ExitStack, path: Path) -> None:
    connection = held.enter_context(closing(_connected(path)))
    connection.execute("BEGIN IMMEDIATE")
    held.callback(connection.execute, "ROLLBACK")


def _snapshot(opened: ExitStack, path: Path) -> sqlite3.Connection:
    connection = opened.enter_context(closing(_connected(path)))
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)


def _pack(data: Path, folder: Path, databases: list[str], packed: Path) -> None:
    with _private(packed) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name in databases:
            tar.add(folder / name, name)
        for name in _BESIDE:
            if (data / name).exists():
                tar.add(data / name, name)


def _unpack(packed: Path, folder: Path, data: Path) -> list[str]:
    """Look at everything before anything is put in place."""
    found = []
    with tarfile.open(packed) as tar:
        for member in tar:
            name, content = member.name, tar.extractfile(member)
            if name not in DATABASES + _BESIDE or content is None:
                raise StoreError(f"the backup holds something else than a server's data: {name}")
            with _private(folder / name) as file:
                while part := content.read(_LARGEST_BESIDE):
                    file.write(part)
            if name in DATABASES:
                _check(folder / name)
            found.append(name)
    for name in found:
        (folder / name).replace(data / name)
    return found


def _check(path: Path) -> None:
    try:
        with closing(_connected(path)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise StoreError(f"{path.name} in the backup is not whole: {said}")


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _recipient(text: str) -> Any:
    from pyrage import RecipientError, x25519

    try:
        return x25519.Recipient.from_str(text)
    except RecipientError:
        raise SettingsError(
            '--recipient: wanted a public key like "age1…"; `muster backup key` makes one'
        ) from None


def _key_line(text: str) -> str:
    """Return the key in a file that age-keygen may have written, with remarks."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")
