"""What goes out as one message, and when."""

from datetime import timedelta

from core.alert_groups import AT_ONCE, SINGLES, Queued, Sent, next_group
from tests.builders import NOON

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def waiting(name: str, repository: str = "acme/web", kind: str = "raised", about: str | None = None) -> Queued:
    return Queued(name, kind, 0, NOON, {"repository": repository, "dedup_key": about or name})


def names(group: list[Queued]) -> list[str]:
    return [message.id for message in group]


def test_the_first_message_goes_at_once() -> None:
    assert names(next_group([waiting("a")], [], NOON, MINUTE)) == ["a"]


def test_what_waits_for_one_repository_goes_as_one() -> None:
    queue = [waiting("a"), waiting("b", "acme/api"), waiting("c")]
    assert names(next_group(queue, [], NOON, MINUTE)) == ["a", "c"]


def test_those_that_follow_a_message_are_gathered_until_a_minute_after_it() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    queue = [waiting("a"), waiting("b")]
    assert next_group(queue, sent, NOON + MINUTE - SECOND, MINUTE) == []
    assert names(next_group(queue, sent, NOON + MINUTE, MINUTE)) == ["a", "b"]


def test_another_repository_does_not_wait_for_them() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    queue = [waiting("a"), waiting("b", "acme/api")]
    assert names(next_group(queue, sent, NOON + SECOND, MINUTE)) == ["b"]


def test_a_recovery_is_not_held_by_the_failure_before_it() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    assert names(next_group([waiting("a", kind="resolved")], sent, NOON + SECOND, MINUTE)) == ["a"]


def test_a_recovery_never_overtakes_its_failure() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    queue = [waiting("a", about="x"), waiting("b", kind="resolved", about="x")]
    assert next_group(queue, sent, NOON + SECOND, MINUTE) == []
    assert names(next_group(queue, sent, NOON + MINUTE, MINUTE)) == ["a"]


def test_a_new_failure_never_overtakes_the_recovery_before_it() -> None:
    queue = [waiting("a", about="x"), waiting("b", kind="resolved", about="x"), waiting("c", about="x"), waiting("d")]
    assert names(next_group(queue, [], NOON, MINUTE)) == ["a", "d"]


def test_many_repositories_at_once_have_one_cause_and_get_one_message() -> None:
    queue = [waiting(f"{number}", f"acme/{number}") for number in range(SINGLES + 1)]
    assert names(next_group(queue, [], NOON, MINUTE)) == names(queue)
    assert names(next_group(queue[:SINGLES], [], NOON, MINUTE)) == ["0"]


def test_after_many_messages_within_the_minute_the_rest_is_gathered_whatever_the_repository() -> None:
    sent = [Sent("raised", f"acme/{number}", NOON + number * SECOND) for number in range(SINGLES)]
    queue = [waiting("a", "other/one"), waiting("b", "other/two")]
    assert next_group(queue, sent, NOON + 30 * SECOND, MINUTE) == []
    last = NOON + (SINGLES - 1) * SECOND
    assert names(next_group(queue, sent, last + MINUTE, MINUTE)) == ["a", "b"]


def test_messages_that_were_one_count_once() -> None:
    sent = [Sent("raised", f"acme/{number}", NOON) for number in range(SINGLES)]
    assert names(next_group([waiting("a", "other/one")], sent, NOON + SECOND, MINUTE)) == ["a"]


def test_a_full_message_waits_for_nothing() -> None:
    """After a long outage the queue drains at once."""
    sent = [Sent("raised", "acme/web", NOON)]
    queue = [waiting(f"{number}") for number in range(AT_ONCE + 10)]
    assert len(next_group(queue, sent, NOON + SECOND, MINUTE)) == AT_ONCE


def test_without_gathering_nothing_waits() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    assert names(next_group([waiting("a")], sent, NOON, timedelta())) == ["a"]


def test_those_that_wait_keep_no_other_repository_waiting() -> None:
    sent = [Sent("raised", "acme/web", NOON)]
    queue = [waiting("a"), waiting("b"), waiting("c", "acme/api")]
    assert names(next_group(queue, sent, NOON + SECOND, MINUTE)) == ["c"]


def test_a_failure_behind_its_recovery_keeps_no_other_failure_waiting() -> None:
    """The recovery is being gathered; only the failures of its own thread wait for it."""
    sent = [Sent("resolved", "acme/web", NOON)]
    queue = [waiting("a", kind="resolved", about="x"), waiting("b", about="x"), waiting("c", about="y")]
    assert names(next_group(queue, sent, NOON + SECOND, MINUTE)) == ["c"]


def test_repositories_of_another_kind_do_not_make_many() -> None:
    queue = [waiting(f"{number}", f"acme/{number}", kind="resolved") for number in range(SINGLES)]
    assert names(next_group([waiting("a"), *queue], [], NOON, MINUTE)) == ["a"]


def test_a_message_that_names_nothing_is_a_thread_of_its_own() -> None:
    digest = Queued("a", "digest", 0, NOON, {})
    assert (digest.repository, digest.thread) == ("", "a")
