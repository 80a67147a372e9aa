"""``task``: declares a Celery task without losing its signature on the way."""

from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypedDict, TypeVar, overload

from celery import Celery, Task
from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R")


class TaskOptions(TypedDict, total=False):
    """What ``app.task`` takes; see Celery's user guide, "Tasks"."""

    name: str
    base: type[Any]
    serializer: str
    ignore_result: bool
    acks_late: bool
    reject_on_worker_lost: bool
    max_retries: int | None
    default_retry_delay: float
    autoretry_for: tuple[type[BaseException], ...]
    retry_backoff: bool | int
    retry_backoff_max: int
    retry_jitter: bool
    rate_limit: str
    time_limit: float
    soft_time_limit: float
    track_started: bool
    typing: bool
    pydantic: bool
    pydantic_strict: bool
    expires: float
    compression: str


@overload
def task(
    app: Celery, *, bind: Literal[True], **options: Unpack[TaskOptions]
) -> Callable[[Callable[Concatenate[Any, P], R]], Task[P, R]]: ...
@overload
def task(app: Celery, **options: Unpack[TaskOptions]) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(app: Celery, **options: Any) -> Any:
    """``@app.task`` that keeps the function's signature for type checkers.

    celery-types' own ``app.task`` gives ``Task[Any, Any]``, with which nothing is checked (its issue 223);
    ``@shared_task`` needs no such help. With ``bind=True`` the first parameter is the task itself, and no argument of
    a call.

    ::

        @task(app, acks_late=True)
        def execute_script(match_id: UUID, script: str = "default") -> None: ...
    """
    decorate: Any = app.task
    return decorate(**options)
