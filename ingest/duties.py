"""What one process does for all: it polls, evaluates alerts, sends messages and forgets what is old."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from core.settings import Settings
from core.store.writer import Writer
from ingest.alerting.evaluator import Evaluator
from ingest.alerting.sender import Sender
from ingest.leadership import Leadership
from ingest.polling.engine import Polling
from ingest.scheduler import Timer


@dataclass(frozen=True, slots=True)
class Duties:
    """Taken on and laid down as often as leadership comes and goes. Who owns a file leads from start to end."""

    settings: Settings
    writer: Writer
    polling: Polling
    evaluator: Evaluator
    sender: Sender
    timer: Timer

    def take_on(self) -> None:
        """Raises StoreUnavailable; `lay_down` may be called after that, too."""
        self.sender.start(self.writer)
        self.evaluator.start(self.writer)
        if self.settings.run_scheduler:
            self.timer.start()

    def lay_down(self) -> None:
        """End what is going on: a round of polling in its middle, a message after it is sent."""
        self.polling.rest()
        self.timer.stop()
        self.evaluator.stop()
        self.sender.stop()

    def heard(self, message: str) -> None:
        """Another process, or this one, stored finished runs: when the first of each pipeline finished."""
        moments = {pipeline_id: datetime.fromisoformat(at) for pipeline_id, at in orjson.loads(message).items()}
        if moments:
            self.evaluator.notice_finishes(moments)
        else:
            self.evaluator.evaluate_all()

    def leadership(self) -> Leadership:
        """For a shared database. A leader that was stopped sends nothing before it knows that it still leads."""
        leadership = Leadership(self.settings.database_url, self.take_on, self.lay_down, self.heard)
        self.sender.may_send = leadership.is_sure
        return leadership
