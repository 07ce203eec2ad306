"""The one writer goes on whatever its callers do."""

import threading

from core.store.writer import Writer


def test_a_caller_who_goes_away_does_not_stop_the_writer(writer: Writer) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> str:
        busy.set()
        assert go_on.wait(10)
        return "done"

    first = writer.transact(wait)
    assert busy.wait(10)
    assert not first.cancel(), "it is being written"
    taken_back = writer.transact(lambda _: "never")
    assert taken_back.cancel()
    go_on.set()
    assert first.result(10) == "done"
    assert writer.transact(lambda _: "after").result(10) == "after"
