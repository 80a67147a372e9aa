"""How a subscriber starts, stops and gives up, and what it leaves behind: always the deliveries."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.subscriber.kit import (
    DEAD,
    EXCHANGE,
    QUEUE,
    REGISTRY,
    Happened,
    happened_call,
    publish,
    publish_one,
    reaches,
    settings,
    tasks,
)
from tests.support.amqp import declare, message, send, take_all, wait_for_count
from tests.support.proxy import Proxy
from tests.support.rabbit import SLACK, broker, eventually, queue_state
from tests.support.services import celery_app, running
from typed_pubsub import (
    ConnectFailed,
    DefinitionError,
    MisconfigurationException,
    Subscriber,
    TaskCall,
    TooManyFaults,
    TopologyRefused,
    call,
)


@pytest.fixture
def nowhere(vhost_url: str) -> str:
    """A URL where nobody listens."""
    with Proxy(vhost_url) as gone:
        return gone.url


def nothing(number: int) -> None: ...


def start(**given: Any) -> None:
    Subscriber(settings(**given), registry=REGISTRY).start()


def test_an_unknown_local_task_fails_at_the_start(vhost_url: str) -> None:
    other = Celery("other", set_as_current=False)
    unknown = other.task(name="unknown.task", shared=False)(nothing)

    def handler(event: Happened) -> TaskCall:
        return call(unknown, event.number)

    with pytest.raises(DefinitionError, match=r"route a_route: the Celery app has no task 'unknown\.task'"):
        start(url=vhost_url, handler=handler)
    assert queue_state(vhost_url, QUEUE) is None, "nothing was declared"


def test_an_app_that_runs_tasks_at_once_is_refused_at_the_start(vhost_url: str) -> None:
    app = celery_app(vhost_url)
    app.conf.task_always_eager = True
    with pytest.raises(MisconfigurationException, match="task_always_eager"):
        start(url=vhost_url, get_celery_app=lambda: app)


def test_the_celery_app_is_asked_for_once_and_only_at_the_start(vhost_url: str) -> None:
    asked: list[int] = []

    def get_celery_app() -> Celery:
        asked.append(1)
        return celery_app(vhost_url)

    config = settings(vhost_url, get_celery_app=get_celery_app)
    Subscriber(config, registry=REGISTRY)
    assert asked == []
    with running(config, REGISTRY):
        assert asked == [1]


@pytest.mark.parametrize("away", ["the event broker", "Celery's broker"])
def test_no_connection_at_the_start_fails_within_the_connect_timeout(
    away: str, vhost_url: str, nowhere: str, caplog: pytest.LogCaptureFixture
) -> None:
    url, celery_url = (nowhere, vhost_url) if away == "the event broker" else (vhost_url, nowhere)
    begun = time.monotonic()
    with pytest.raises(ConnectFailed, match=r"within 1\.5 s") as raised:
        start(url=url, celery_url=celery_url, connect_timeout=1.5)
    assert 0.5 < time.monotonic() - begun < 1.5 + SLACK
    assert raised.value.exit_code == 3
    assert "guest:guest" not in str(raised.value)
    assert str(raised.value).endswith("; is the broker running, and is this its port?")
    # At once, and not again at each attempt.
    (early,) = [text for text in caplog.messages if text.startswith("no connection to")]
    assert early == str(raised.value).replace("within 1.5 s", "yet")


def test_what_is_wrong_with_a_url_is_told_and_whose_it_is(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    wrong = vhost_url.replace("guest:guest", "guest:s3cret")
    for urls, setting in (((wrong, vhost_url), "BROKER_URL"), ((vhost_url, wrong), "Celery's broker_url")):
        with pytest.raises(ConnectFailed, match=f"user name or password of {setting} are wrong"):
            start(url=urls[0], celery_url=urls[1], connect_timeout=0.5)
    assert "s3cret" not in caplog.text


def test_a_broker_that_went_away_is_told_with_what_to_look_at(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with Proxy(vhost_url) as proxy, running(settings(proxy.url, celery_url=vhost_url), REGISTRY):
        proxy.close()
        eventually(lambda: "is the broker running, and is this its port? (fault 2 in a row)" in caplog.text)


def test_a_broker_that_comes_up_within_the_connect_timeout_is_waited_for(vhost_url: str) -> None:
    with Proxy(vhost_url) as proxy:
        proxy.hold_down()

        def come_up() -> None:
            proxy.cut()
            proxy.release()

        threading.Timer(1.0, come_up).start()
        with running(settings(vhost_url, celery_url=proxy.url, connect_timeout=30.0), REGISTRY) as subscriber:
            publish_one(vhost_url, 1)
            reaches(subscriber, scheduled=1)


def test_topology_that_the_broker_refuses_ends_the_start(vhost_url: str) -> None:
    with pytest.raises(TopologyRefused, match=r"'amq\.mine'") as raised:
        start(url=vhost_url, exchange="amq.mine")
    assert raised.value.exit_code == 10


def test_so_many_faults_in_a_row_end_it_and_the_event_is_kept(vhost_url: str) -> None:
    def breaking() -> None:
        with (
            Proxy(vhost_url) as celery,
            running(settings(vhost_url, celery_url=celery.url, max_faults=3), REGISTRY) as subscriber,
        ):
            publish_one(vhost_url, 1)
            reaches(subscriber, scheduled=1)
            celery.close()
            publish_one(vhost_url, 2)
            reaches(subscriber, faults=3)

    with pytest.raises(TooManyFaults, match="3 faults in a row") as raised:
        breaking()
    assert raised.value.exit_code == 4
    wait_for_count(vhost_url, QUEUE, 1)


def test_two_subscribers_share_a_queue(vhost_url: str) -> None:
    config = settings(vhost_url, prefetch=5)
    with running(config, REGISTRY) as one, running(config, REGISTRY) as two:
        eventually(lambda: queue_state(vhost_url, QUEUE).consumer_count == 2)
        publish(vhost_url, (Happened(number=number) for number in range(400)))
        eventually(lambda: one.outcomes.get("scheduled", 0) + two.outcomes.get("scheduled", 0) == 400)
        assert min(one.outcomes["scheduled"], two.outcomes["scheduled"]) > 0
    assert sorted(number for number, _ in tasks(vhost_url)) == list(range(400))


def test_an_event_queue_that_is_deleted_is_declared_again_with_its_bindings(vhost_url: str) -> None:
    with running(settings(vhost_url), REGISTRY) as subscriber:
        with broker(vhost_url) as connection:
            connection.default_channel.queue_delete(QUEUE)
        eventually(lambda: (state := queue_state(vhost_url, QUEUE)) and state.consumer_count)
        publish_one(vhost_url, 1)
        reaches(subscriber, scheduled=1, faults=1)


def test_a_dead_letter_queue_that_is_deleted_is_declared_again(vhost_url: str) -> None:
    with running(settings(vhost_url), REGISTRY) as subscriber:
        for count in (1, 2):
            send(vhost_url, EXCHANGE, "app.happened", message(b"["))
            reaches(subscriber, dead_lettered=count)
            if count == 1:
                with broker(vhost_url) as connection:
                    connection.default_channel.queue_delete(DEAD)
    assert len(take_all(vhost_url, DEAD)) == 1


def test_a_dead_letter_that_nobody_takes_is_never_acknowledged(vhost_url: str) -> None:
    declare(vhost_url, DEAD, {"x-max-length": 0, "x-overflow": "reject-publish"})
    with running(settings(vhost_url, drain_timeout=0.5), REGISTRY) as subscriber:
        send(vhost_url, EXCHANGE, "app.happened", message(b"["))
        publish_one(vhost_url, 1)
        reaches(subscriber, scheduled=1)
    assert subscriber.outcomes == {"scheduled": 1, "requeued": 1}
    assert [found.body for found in take_all(vhost_url, QUEUE)] == [b"["]


def test_tasks_of_fast_handlers_do_not_wait_for_slow_ones_and_stopping_waits_for_one_only(vhost_url: str) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def slow(event: Happened) -> TaskCall:
        if event.number:
            begun.release()
            go_on.wait(30)
            late = time.monotonic() + 1.1
            eventually(lambda: time.monotonic() > late)
        return happened_call(event)

    config = settings(vhost_url, slow, drain_timeout=1.0)
    with running(config, REGISTRY) as subscriber:
        publish(vhost_url, (Happened(number=number) for number in range(20)))
        assert begun.acquire(timeout=30)
        subscriber.stop()
        stopped = time.monotonic()
        go_on.set()
    assert time.monotonic() - stopped < 15, "twenty of them take longer"
    # Those before the slow one were sent, and it as well; the rest is in the queue again.
    sent = subscriber.outcomes["scheduled"]
    assert 1 <= sent < 15
    wait_for_count(vhost_url, QUEUE, 20 - sent)
    assert sorted(number for number, _ in tasks(vhost_url)) == list(range(sent))


def health_of(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else {}


def test_the_health_file_tells_the_time_and_what_is_in_hand(vhost_url: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    with running(settings(vhost_url, health_file=str(path)), REGISTRY):
        publish_one(vhost_url, 1)
        told = eventually(lambda: health_of(path).get("outcomes", {}).get("scheduled") and health_of(path))
        assert abs(told["time"] - time.time()) < 60
        assert (told["queue"], told["in_flight"], told["waiting"], told["consuming"]) == (QUEUE, 0, 0, True)
        assert 0 <= told["last_confirm"] < 60
        send(vhost_url, EXCHANGE, "app.happened", message(b"no json"))
        later = eventually(lambda: health_of(path)["dead_letters"] and health_of(path))
        assert (later["pid"], later["dead_letters"]) == (told["pid"], 1)
        assert later["time"] > told["time"]


def test_the_health_file_of_an_idle_subscriber_tells_of_a_broker_that_answers(vhost_url: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    with running(settings(vhost_url, health_file=str(path)), REGISTRY):
        began = eventually(lambda: health_of(path))["time"]
        later = eventually(lambda: health_of(path)["time"] > began + 6 and health_of(path))
        assert later["last_round_trip"] < 4
        assert later["last_confirm"] is None


def test_the_health_file_tells_of_deliveries_that_before_batch_keeps_back(vhost_url: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"

    def fail() -> None:
        raise OSError

    config = settings(vhost_url, health_file=str(path), drain_timeout=0.1)
    subscriber = Subscriber(config, registry=REGISTRY, before_batch=fail)
    thread = threading.Thread(target=subscriber.start)
    thread.start()
    try:
        eventually(lambda: health_of(path).get("consuming"))
        publish_one(vhost_url, 1)
        told = eventually(lambda: health_of(path)["waiting"] > 2 and health_of(path))
        assert told["in_flight"] == 1
    finally:
        subscriber.stop()
        thread.join(30)


def test_a_subscriber_starts_once(vhost_url: str) -> None:
    with running(settings(vhost_url), REGISTRY) as subscriber:
        with pytest.raises(RuntimeError, match="started before"):
            subscriber.start()
        publish_one(vhost_url, 1)
        reaches(subscriber, scheduled=1)


def test_the_health_file_tells_how_long_a_delivery_waits(vhost_url: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    with (
        Proxy(vhost_url) as celery,
        running(settings(vhost_url, health_file=str(path), celery_url=celery.url), REGISTRY),
    ):
        celery.refuse()
        publish_one(vhost_url, 1)
        waiting = eventually(lambda: health_of(path).get("waiting", 0) > 3 and health_of(path))
        assert waiting["in_flight"] == 1
        assert waiting["last_round_trip"] < 10
        celery.accept()
        assert eventually(lambda: health_of(path)["in_flight"] == 0 and health_of(path))["waiting"] == 0
