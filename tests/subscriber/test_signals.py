"""Which signals ask a subscriber to stop."""

import signal

from typed_pubsub.handoff.signals import handling, stop_signals, stopping_on_signals


def test_a_terminal_that_closes_is_one_but_under_nohup() -> None:
    assert stop_signals() == (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with handling([signal.SIGHUP], signal.SIG_IGN):
        assert stop_signals() == (signal.SIGTERM, signal.SIGINT)
        with stopping_on_signals(lambda: None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_handled_them_before_handles_them_again() -> None:
    before = [signal.getsignal(number) for number in stop_signals()]
    asked: list[str] = []
    with stopping_on_signals(lambda: asked.append("to stop")):
        signal.raise_signal(signal.SIGHUP)
    assert asked == ["to stop"]
    assert [signal.getsignal(number) for number in stop_signals()] == before
