"""Calls of Celery tasks as values, checked against the task's signature by the type checker and when they are made.

Celery is known by shape here, not by import: anything with a name, a signature and ``apply_async`` is a local task.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, ParamSpec, Protocol, TypedDict, TypeVar, final

import msgspec
from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class SignatureLike(Protocol):
    """A Celery Signature, read as a value: the task's name, its arguments and options."""

    @property
    def task(self) -> str | None: ...  # noqa: D102
    @property
    def args(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def kwargs(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def options(self) -> Mapping[str, Any]: ...  # noqa: D102


class CallOptions(TypedDict, total=False):
    """What ``apply_async`` takes beside the arguments, publishing itself excepted: that is the library's part."""

    countdown: float
    eta: datetime
    expires: float | datetime
    queue: str
    exchange: str
    routing_key: str
    priority: int
    serializer: str
    compression: str
    task_id: str
    time_limit: float
    soft_time_limit: float
    ignore_result: bool
    headers: Mapping[str, Any]
    link: SignatureLike | Sequence[SignatureLike]
    link_error: SignatureLike | Sequence[SignatureLike]
    shadow: str
    argsrepr: str
    kwargsrepr: str
    reply_to: str
    delivery_mode: int
    group_id: str
    root_id: str
    parent_id: str


_OPTIONS = CallOptions.__annotations__.keys()

#: Options that belong to the publishing itself, which this library does with its own connection and confirms.
#: A row or a Signature may carry those of the first set without harm; the second would take the message elsewhere.
IGNORED_OPTIONS = frozenset({"retry", "retry_policy", "add_to_parent"})
REFUSED_OPTIONS = frozenset({"connection", "producer", "publisher", "mandatory", "immediate", "declare", "task_type"})


class TaskLike(Protocol[P, R_co]):
    """A task of this service: what ``@shared_task`` or ``task(app)`` gives."""

    @property
    def name(self) -> str | None: ...  # noqa: D102

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...  # noqa: D102

    def apply_async(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102


@final
class RemoteTask(Generic[P, R]):
    """A task of another service: its name, the options it is sent with, and a signature to check calls by."""

    def __init__(self, name: str, signature: Callable[P, R], options: CallOptions) -> None:
        """See ``remote_task``."""
        self.name = name
        self.options = options
        self.__doc__ = signature.__doc__
        self._signature = inspect.signature(signature)
        self._fitting = _fitting_names(self._signature)

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Raises TypeError, naming the task, for arguments that the signature does not take."""
        if len(args) < len(self._fitting):
            needed, taken = self._fitting[len(args)]
            if needed <= kwargs.keys() <= taken:
                return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            msg = f"{self.name}() {error}"
            raise TypeError(msg) from None

    def __repr__(self) -> str:
        """Name and signature."""
        return f"<remote task {self.name}{self._signature}>"


def remote_task(name: str, **options: Unpack[CallOptions]) -> Callable[[Callable[P, R]], RemoteTask[P, R]]:
    """Declares a task of another service by name; the decorated function is its signature and is never called.

    ::

        @remote_task("query.tasks.execute_script", queue="query")
        def query_script(match_id: UUID, script: str = "default") -> None: ...
    """
    _check_options(options)

    def declare(signature: Callable[P, R]) -> RemoteTask[P, R]:
        return RemoteTask(name, signature, options)

    return declare


class TaskCall(msgspec.Struct, frozen=True):
    """One Celery task to send.

    ``local`` tells how: as the registered task's ``apply_async`` would, with the options declared on it, or as
    ``app.send_task`` would, by name alone.
    """

    task: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    options: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    local: bool = False

    def using(self, **options: Unpack[CallOptions]) -> "TaskCall":
        """The same call with these options of ``apply_async``, over those it has.

        Raises:
            TypeError: an option that ``apply_async`` does not take, or that is this library's own.
        """
        _check_options(options)
        return TaskCall(self.task, self.args, self.kwargs, {**self.options, **options}, self.local)


def call(task: TaskLike[P, Any] | RemoteTask[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> TaskCall:
    """The call of ``task`` with these arguments, as a value: nothing is sent yet.

    Raises:
        TypeError: the arguments do not fit the task's signature (not for tasks declared with ``typing=False``).
    """
    # Not isinstance: of one of Celery's proxies that would ask for the task behind it.
    if type(task) is RemoteTask:
        task.check(*args, **kwargs)
        return TaskCall(task.name, args, kwargs, {**task.options})
    # Celery's own check of arguments, made from the task's signature when the task was declared.
    check = getattr(task, "__header__", None)
    if check is not None:
        try:
            check(*args, **kwargs)
        except TypeError:
            if getattr(task, "typing", True) is not False:
                raise
    return TaskCall(str(task.name), args, kwargs, {}, True)  # noqa: FBT003


def is_task(value: Any) -> bool:
    """Whether a value looks like a task of this service. Never raises: any global of a handler's module is asked."""
    try:
        named = isinstance(value.name, str) and callable(value.apply_async)
    except Exception:  # noqa: BLE001  # proxies of web frameworks raise what they like outside of their context
        return False
    return named and not isinstance(value, type)


def from_signature(signature: SignatureLike) -> TaskCall:
    """The call that a returned Celery Signature describes.

    Raises:
        TypeError: a chain, group or chord, which is more than one message; let a task start it. Or it names no task.
        ValueError: an option that would take the message past this library's confirms.
    """
    kind = getattr(signature, "subtask_type", None)
    if kind in ("chain", "group", "chord"):
        msg = f"a route returned a {kind}: only single tasks can be confirmed; let a task of your own start it"
        raise TypeError(msg)
    if signature.task is None:
        msg = "a route returned a Signature without a task"
        raise TypeError(msg)
    options = send_options(signature.options)
    return TaskCall(signature.task, tuple(signature.args), dict(signature.kwargs), options, local=True)


def send_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a row or a Signature gives them, without those of the publishing itself.

    Raises:
        ValueError: an option that would take the message past this library's confirms.
    """
    refused = sorted(REFUSED_OPTIONS & options.keys())
    if refused:
        msg = f"options {', '.join(refused)}: the message is published by typed_pubsub, on its own connection"
        raise ValueError(msg)
    return {name: value for name, value in options.items() if name not in IGNORED_OPTIONS}


def _fitting_names(signature: inspect.Signature) -> list[tuple[frozenset[str], frozenset[str]]]:
    """For each number of positional arguments the names that must, and those that may, be given beside them.

    What fits these fits the signature; of anything else ``bind`` knows better, and says what is wrong.
    """
    parameters = signature.parameters.values()
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    named = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    fitting: list[tuple[frozenset[str], frozenset[str]]] = []
    for given in range(len(positional) + 1):
        rest = [*positional[given:], *named]
        needed = frozenset(one.name for one in rest if one.default is one.empty)
        taken = frozenset(one.name for one in rest if one.kind is not one.POSITIONAL_ONLY)
        fitting.append((needed, taken))
    return fitting


def _check_options(options: CallOptions) -> None:
    if not options.keys() <= _OPTIONS:
        msg = f"unknown task options: {', '.join(sorted(options.keys() - _OPTIONS))}"
        raise TypeError(msg)
