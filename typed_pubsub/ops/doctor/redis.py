"""Redis as Celery's broker."""

from collections.abc import Iterator

from typed_pubsub.ops.doctor.lines import Line, advice, ok, problem, unknown
from typed_pubsub.tasks.survey import AppBroker, RedisState


def look_at_redis(broker: AppBroker, timeout: float) -> Iterator[Line]:
    """Ping, and the settings by which it loses tasks or gives them out twice."""
    try:
        state = broker.ask_redis(timeout)
    except broker.faults as error:
        yield problem("login", f"{type(error).__name__}: {error}", "look at host, password and number of the database")
        return
    yield ok("login", f"Redis {state.version} answers")
    yield _policy(state)
    yield _durability(state)
    told = f"{state.visibility_timeout:,.0f} s: a task that a worker holds longer is run by another, too"
    yield advice("visibility_timeout", told)


def _policy(state: RedisState) -> Line:
    if state.policy is None:
        return unknown("maxmemory-policy", "it does not let itself be asked")
    if state.policy != "noeviction":
        told = f"{state.policy}: it throws tasks away when its memory is full"
        return problem("maxmemory-policy", told, "set it to noeviction")
    return ok("maxmemory-policy", state.policy)


def _durability(state: RedisState) -> Line:
    if state.append_only is None:
        return unknown("appendonly", "it does not let itself be asked")
    if state.append_only != "yes":
        return advice("appendonly", "no: a crash loses what came since the last snapshot, which was confirmed")
    return ok("appendonly", "yes")
