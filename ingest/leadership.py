"""Which of several processes on one PostgreSQL database does what only one may: polling, alerts, messages, retention.

The leader holds an advisory lock on a connection of its own. PostgreSQL frees it when that connection ends, however it
ends, so another process takes over within seconds of a kill and within half a minute of a lost machine. A leader that
hangs, though its machine answers, asks nothing any more: then the server ends the connection. Before it sends anything,
a leader makes sure (`is_sure`) that it asked the server a moment ago, and so doesn't go on where it was stopped.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from core.errors import DashboardError, first_line
from core.store.postgres.connection import connect
from core.store.postgres.session import FINISHED

log = structlog.get_logger()

LEADER_LOCK = 7_461_002
CANDIDATE_SECONDS = 2.0
# How often the leader makes sure that the server still knows it.
CHECK_SECONDS = 1.0
# So long after the last answer of the server the leader sends nothing; after IDLE_SECONDS the server lets others lead.
SURE_SECONDS = 5.0
IDLE_SECONDS = 15
# Goes on while the machine sleeps, where the system has such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def somebody_leads(connection: "psycopg.Connection[Any]") -> bool:
    """Whether any process leads on this database, wherever it runs."""
    row = connection.execute(
        """SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s
            AND d.datname = current_database()""",
        [LEADER_LOCK],
    ).fetchone()
    return bool(row and row[0])


class Leadership:
    """`take_on` is called when this process begins to lead, `lay_down` when it ends; `heard` for each notification.

    All three are called in the thread of this class. `lay_down` follows each `take_on`, also one that failed.
    """

    def __init__(
        self, url: str, take_on: Callable[[], None], lay_down: Callable[[], None], heard: Callable[[str], None]
    ) -> None:
        self._url = url
        self._take_on = take_on
        self._lay_down = lay_down
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="leadership", daemon=True)
        self.leads = False
        self._known_at = 0.0

    def is_sure(self) -> bool:
        """Whether the server said within the last SURE_SECONDS that this process leads. Any thread may ask."""
        return self.leads and time.clock_gettime(_CLOCK) - self._known_at < SURE_SECONDS

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lay down what was taken on, and let another process lead."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect(self._url, "leader", idle_seconds=IDLE_SECONDS) as connection:
                    if self._wait_for_the_lock(connection):
                        self._lead(connection)
            except (DashboardError, psycopg.Error) as error:
                log.warning("no leadership for now", reason=first_line(error))
                self._stopping.wait(CANDIDATE_SECONDS)
            except Exception:  # whatever it is, this process must stand for election again
                log.exception("leadership ended by an unexpected error")
                self._stopping.wait(CANDIDATE_SECONDS)

    def _wait_for_the_lock(self, connection: "psycopg.Connection[Any]") -> bool:
        while not self._stopping.is_set():
            asked_at = time.clock_gettime(_CLOCK)
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
            if row and row[0]:
                self._known_at = asked_at
                return True
            self._stopping.wait(CANDIDATE_SECONDS)
        return False

    def _lead(self, connection: "psycopg.Connection[Any]") -> None:
        # Before the duties begin with a look at everything, so that nothing falls between.
        connection.execute(f"LISTEN {FINISHED}")
        log.info("leading: polling, alerts, messages and retention are done here")
        try:
            self.leads = True
            self._take_on()
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=CHECK_SECONDS, stop_after=1):
                    self._heard(notification.payload)
                asked_at = time.clock_gettime(_CLOCK)
                connection.execute("SELECT 1")
                self._known_at = asked_at
        finally:
            self.leads = False
            self._lay_down()
            log.info("not leading any more")
