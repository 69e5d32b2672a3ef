"""The declaration of a kind of job: its function, and the rules by which it runs."""

import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from sidecar.errors import InvalidInput
from sidecar.jobs.running import Running
from sidecar.models.validation import refused

if TYPE_CHECKING:
    from sidecar.models.jobs import Job
    from sidecar.storage.interfaces import Work

P = ParamSpec("P")
R = TypeVar("R")


class RunIn(StrEnum):
    """The place where the function of a job runs."""

    LOOP = "loop"
    THREAD = "thread"
    PROCESS = "process"


class JobKind(Generic[P, R]):
    """A function that is done as a job. Called like a function, it is one, for tests."""

    def __init__(
        self,
        name: str,
        function: Callable[Concatenate[Running, P], R],
        *,
        run_in: RunIn,
        at_once: int | None = None,
        retries: int = 0,
        retry_after_s: float = 1.0,
        is_repeatable: bool = False,
        grace_s: float = 5.0,
    ) -> None:
        """`at_once` bounds the executions of this kind, besides the bound for all jobs.

        A job that fails is run again, `retries` times, each time after twice as long as before. One that is repeatable
        is run again when the sidecar ended while it ran. A process that does not end `grace_s` after it is cancelled
        is killed.
        """
        self.name = name
        self.function = function
        self.run_in = run_in
        self.at_once = at_once
        self.retries = retries
        self.retry_after_s = retry_after_s
        self.is_repeatable = is_repeatable
        self.grace_s = grace_s
        self.on_done: Callable[[Work, Any], object] | None = None
        self._require_usable()
        update_wrapper(self, function)

    def __call__(self, job: Running, /, *arguments: P.args, **named: P.kwargs) -> R:
        return self.function(job, *arguments, **named)

    def queue(self, work: "Work", /, *arguments: P.args, **named: P.kwargs) -> "Job":
        """Queue a job in the caller's unit of work: it runs once that is committed, and not at all if it fails.

        Raises `InvalidInput` for arguments that the function does not take, or that are not JSON.
        """
        from sidecar.storage.resources.jobs import insert  # a process that executes a job has no storage

        return insert(work, self.name, self.to_stored(*arguments, **named), is_repeatable=self.is_repeatable)

    def then(self, unit: "Callable[[Work, Any], object]") -> "Callable[[Work, Any], object]":
        """Have `unit(work, result)` run in the transaction that stores the result: both are done, or neither.

        It is a decorator. What the unit raises fails the job.
        """
        self.on_done = unit
        return unit

    def resolve_annotations(self) -> None:
        """Raise the error of an annotation that names what its module does not have."""
        _ = self._hints

    def to_stored(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Return the arguments as JSON values. Raises `InvalidInput` for those that the function does not take."""
        try:
            bound = self._signature.bind(None, *arguments, **named)
        except TypeError as error:
            raise InvalidInput(f"The job {self.name} cannot be queued: {error}.") from None
        _, *names = self._signature.parameters
        given = {name: bound.arguments[name] for name in names if name in bound.arguments}
        try:
            model = self._arguments.model_validate(given)
        except ValidationError as error:
            raise refused(error) from None
        try:
            stored = model.model_dump(mode="json", exclude_unset=True)
            is_kept = self._arguments.model_validate(stored) == model
        except ValueError:  # of pydantic, when it writes and when it reads
            is_kept = False
        if not is_kept:
            raise InvalidInput(f"The arguments of the job {self.name} are not JSON, such as text and numbers.")
        return stored

    def from_stored(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the stored arguments as the function takes them. Raises `InvalidInput`."""
        try:
            model = self._arguments.model_validate(arguments)
        except ValidationError as error:
            raise refused(error) from None
        return {name: getattr(model, name) for name in model.model_fields_set}

    def result_as_json(self, result: Any) -> Any:
        """Return the result as a JSON value. Raises `InvalidInput` for one that its annotation does not allow."""
        try:
            value = self._result.validate_python(result)
        except ValidationError as error:
            found = refused(error)
            raise InvalidInput(f"The job {self.name} returned another type than it declares: {found.message}") from None
        try:
            stored = self._result.dump_python(value, mode="json")
            is_kept = self._result.validate_python(stored) == value
        except ValueError:  # of pydantic, when it writes and when it reads
            is_kept = False
        if not is_kept:
            raise InvalidInput(f"The result of the job {self.name} is not JSON, such as text and numbers.")
        return stored

    def result_from_json(self, value: Any) -> Any:
        """Return the result as the function's return type."""
        return self._result.validate_python(value)

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def _arguments(self) -> type[BaseModel]:
        _, *parameters = self._signature.parameters.values()
        fields: dict[str, Any] = {
            each.name: (self._hints.get(each.name, Any), ... if each.default is each.empty else each.default)
            for each in parameters
        }
        return create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def _result(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._hints.get("return", Any))

    def _require_usable(self) -> None:
        """Raise `ValueError` for a function that cannot be a job."""
        kinds = [parameter.kind for parameter in self._signature.parameters.values()]
        if not kinds or kinds[0] not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            raise ValueError(f"the job {self.name} needs a first parameter, which is the running job")
        if {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} & {*kinds}:
            raise ValueError(f"the job {self.name} must name each of its parameters, since they are stored by name")
        if inspect.iscoroutinefunction(self.function) != (self.run_in is RunIn.LOOP):
            raise ValueError(
                f"the job {self.name} cannot run in the {self.run_in}: an async function runs in the loop, and a plain "
                "one in a thread or a process"
            )
        if self.run_in is RunIn.PROCESS and "<locals>" in self.function.__qualname__:
            raise ValueError(f"the job {self.name} runs in a process, which must find its function in its module")
