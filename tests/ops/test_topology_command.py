"""``typed-pubsub topology``: looked at, planned, applied and exported, as an operator does it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.ops.conftest import Managed
from tests.support.amqp import declare, linked, message, of_dead_letters, send, take_all
from tests.support.rabbit import broker, queue_state
from typed_pubsub import PubSubConfig, TaskMapping
from typed_pubsub.brokers.queues import how_made
from typed_pubsub.brokers.topology import LIMITS_QUORUM_QUEUES
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service


def mapping() -> TaskMapping:
    def row(key: str) -> dict[str, Any]:
        return {
            "routing_key": key,
            "task": "a.task",
            "should_schedule": lambda routing_key, body: True,
            "get_args": lambda routing_key, body: ([], {}),
        }

    return TaskMapping().add_legacy([row("a.b"), row("c.*")])


def config(url: str, **given: Any) -> PubSubConfig:
    defaults = {"exchange": "events", "queue_name": "q", "task_mapping": mapping(), "get_celery_app": lambda: None}
    return PubSubConfig(broker_url=url, **{**defaults, **given})


def run(settings: PubSubConfig, *args: str) -> Result:
    # What a command prints is no terminal, so that nothing is cut.
    return CliRunner().invoke(main, ["topology", *args], obj=Service(lambda: settings))


def rows(output: str) -> list[list[str]]:
    return [[cell for cell in line.split("  ") if cell.strip()] for line in output.splitlines()]


def test_apply_makes_what_plan_tells_and_then_there_is_nothing_to_do(broker_url: str) -> None:
    settings = config(broker_url)
    planned = run(settings, "plan")
    assert (planned.exit_code, planned.stdout.splitlines()[0]) == (1, "create exchange 'events' (topic, durable)")
    applied = run(settings, "apply", "--yes")
    assert (applied.exit_code, applied.stdout.splitlines()[-1]) == (0, "done: 5 steps")
    for command in (("plan",), ("apply", "--yes"), ("plan",)):
        again = run(settings, *command)
        assert again.exit_code == 0, again.output
        first, *rest = again.stdout.splitlines()
        assert first.startswith("nothing to do: the broker has what is declared")
        # Without the management API nobody can list bindings.
        assert first.endswith("apply binds it with every key again") is any(one.startswith("not known") for one in rest)
    send(broker_url, "events", "c.x", message(b"{}"))
    assert len(take_all(broker_url, "q")) == 1


def test_apply_does_nothing_where_nobody_can_be_asked(broker_url: str) -> None:
    refused = run(config(broker_url), "apply")
    assert refused.exit_code == 2
    assert "Take these 5 steps at " in refused.stderr
    assert "Nobody can be asked here: say --yes." in refused.stderr
    assert queue_state(broker_url, "q") is None


def test_a_publisher_without_a_queue_has_its_exchange_planned(broker_url: str) -> None:
    settings = PubSubConfig(broker_url=broker_url, exchange="events")
    assert run(settings, "apply", "--yes").exit_code == 0
    assert run(settings, "plan").exit_code == 0
    assert "exchange events" in run(settings, "show").stdout


def test_show_tells_of_messages_of_bindings_and_of_what_they_serve(managed: Managed, managed_url: str) -> None:
    settings = config(managed_url)
    run(settings, "apply", "--yes")
    declare(managed_url, "q", events="old.key")
    for key in ("a.b", "old.key"):
        send(managed_url, "events", key, message(b"{}"))
    shown = run(settings, "show", "--management", managed.api)
    assert shown.exit_code == 0, shown.output
    table = rows(shown.stdout)
    assert [cell.strip() for cell in table[3]][:4] == ["queue q", "classic, durable", "classic, durable", "2"]
    assert "old.key      stale     -" in shown.stdout
    assert "a.b          bound     row a.b->a.task" in shown.stdout
    as_json = json.loads(run(settings, "show", "--management", managed.api, "--format", "json").stdout)
    assert as_json["objects"][2]["ready"] == 2
    assert {row["key"]: row["standing"] for row in as_json["bindings"]} == {
        "a.b": "bound",
        "c.*": "bound",
        "old.key": "stale",
    }


def test_a_stale_binding_goes_with_prune_alone(managed: Managed, managed_url: str) -> None:
    settings, api = config(managed_url), ("--management", managed.api)
    run(settings, "apply", "--yes")
    declare(managed_url, "q", events="old.key")
    assert run(settings, "plan", *api).exit_code == 1
    assert run(settings, "apply", "--yes", *api).exit_code == 0
    send(managed_url, "events", "old.key", message(b"{}"))
    pruned = run(settings, "apply", "--yes", "--prune", *api)
    assert "unbind queue 'q' from exchange 'events', key 'old.key': no route wants it" in pruned.stdout
    assert run(settings, "plan", *api).exit_code == 0
    with pytest.raises(AssertionError, match="no queue took the message"):
        send(managed_url, "events", "old.key", message(b"{}"))
    send(managed_url, "events", "a.b", message(b"{}"))
    assert len(take_all(managed_url, "q")) == 2


def test_a_queue_of_another_type_is_told_and_made_anew_with_migrate(managed: Managed, managed_url: str) -> None:
    api = ("--management", managed.api)
    run(config(managed_url), "apply", "--yes")
    with broker(managed_url) as connection:
        channel = connection.default_channel
        channel.exchange_declare("other", "topic", durable=True, auto_delete=False)
        channel.queue_bind("q", "other", routing_key="other.key")
    for number in range(3):
        send(managed_url, "events", "a.b", message(b"%d" % number))
    settings = config(managed_url, queue_type="quorum")
    planned = run(settings, "plan", *api)
    assert planned.exit_code == 1
    assert "queue 'q': x-queue-type is classic, declared quorum" in planned.stdout
    assert "queue 'q.dlq': x-queue-type is classic, declared quorum" in planned.stdout
    kept = run(settings, "apply", "--yes", *api)
    assert kept.exit_code == 0, "without --migrate it is left alone"
    migrated = run(settings, "apply", "--yes", "--migrate", *api)
    assert migrated.exit_code == 0, migrated.output
    assert run(settings, "plan", *api).exit_code == 0
    send(managed_url, "other", "other.key", message(b"by a binding that nobody declares"))
    assert [found.body for found in take_all(managed_url, "q")][:3] == [b"0", b"1", b"2"]
    with linked(managed_url) as link:
        assert how_made(link, "q.dlq").arguments == of_dead_letters(managed_url)


def test_nothing_is_made_anew_where_bindings_cannot_be_listed_unless_it_is_said(
    vhost_url: str, nobody_listens: str
) -> None:
    api = ("--management", nobody_listens)
    run(config(vhost_url), "apply", "--yes", *api)
    settings = config(vhost_url, queue_type="quorum")
    refused = run(settings, "apply", "--yes", "--migrate", *api)
    assert refused.exit_code == 10
    assert "say --declared-bindings-only" in refused.stderr
    assert queue_state(vhost_url, "q.migrating") is None
    done = run(settings, "apply", "--yes", "--migrate", "--declared-bindings-only", *api)
    assert done.exit_code == 0, done.output
    send(vhost_url, "events", "c.x", message(b"{}"))
    assert len(take_all(vhost_url, "q")) == 1


def test_nothing_is_made_anew_while_a_subscriber_consumes(managed: Managed, managed_url: str) -> None:
    run(config(managed_url), "apply", "--yes")
    with broker(managed_url) as connection:
        connection.default_channel.basic_consume("q", callback=lambda _: None)
        args = ("apply", "--yes", "--migrate", "--management", managed.api)
        refused = run(config(managed_url, queue_type="quorum"), *args)
    assert refused.exit_code == 10
    assert "queue 'q' has 1 consumer: stop its subscribers" in refused.stderr


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_what_is_exported_and_imported_leaves_nothing_to_do(
    managed: Managed, managed_url: str, tmp_path: Path, queue_type: str
) -> None:
    settings = config(managed_url, queue_type=queue_type)
    with linked(managed_url) as link:
        limits_quorum_queues = link.server_version >= LIMITS_QUORUM_QUEUES
    exported = run(settings, "export", *(("--rabbitmq", "4") if limits_quorum_queues else ()))
    assert exported.exit_code == 0, exported.output
    file = tmp_path / "definitions.json"
    file.write_text(exported.stdout)
    managed.node.ctl("import_definitions", str(file))
    planned = run(settings, "plan", "--management", managed.api)
    assert (planned.exit_code, planned.stdout) == (0, "nothing to do: the broker has what is declared\n")
    policies = managed.node.ctl("list_policies", "--vhost", managed_url.rpartition("/")[2])
    assert ("delivery-limit" in policies) is (queue_type == "quorum" and not limits_quorum_queues)


def test_what_is_exported_of_a_service_on_the_embedded_broker_is_for_rabbitmq(tmp_path: Path) -> None:
    exported = json.loads(run(config(f"sqlite:///{tmp_path}/b.db"), "export").stdout)
    assert [queue["arguments"] for queue in exported["queues"]] == [{}, {}]
    assert {thing["vhost"] for kind in exported for thing in exported[kind]} == {"/"}


def test_what_is_exported_for_rabbitmq_4_keeps_dead_letters_by_an_argument(tmp_path: Path) -> None:
    settings = config(f"sqlite:///{tmp_path}/b.db", queue_type="quorum")
    exported = json.loads(run(settings, "export", "--rabbitmq", "4").stdout)
    assert exported["queues"][0]["arguments"] == {"x-queue-type": "quorum", "x-delivery-limit": -1}
    assert exported["policies"] == []
    (policy,) = json.loads(run(settings, "export").stdout)["policies"]
    assert policy["definition"] == {"delivery-limit": 1_000_000}
    assert not list(tmp_path.iterdir())


def test_a_plan_is_one_json_document_too(broker_url: str) -> None:
    planned = run(config(broker_url), "plan", "--format", "json")
    assert planned.exit_code == 1
    told = json.loads(planned.stdout)
    names = [step["step"]["step"] for step in told["steps"]]
    assert names == ["create_exchange", "create_queue", "create_queue", "bind", "bind"]
    assert told["steps"][3]["step"]["binding"]["key"] == "a.b"
    assert told["differences"] == told["stale"] == []


def test_a_broker_that_is_away_is_one_line_and_exit_code_3(nobody_listens: str) -> None:
    url = nobody_listens.replace("http://", "amqp://guest:s3cret@")
    for command in (("show",), ("plan",), ("apply", "--yes")):
        failed = run(config(url), *command)
        assert failed.exit_code == 3
        assert failed.stderr.startswith("Error: no connection to amqp://guest:**@127.0.0.1")
        assert len(failed.stderr.splitlines()) == 1
