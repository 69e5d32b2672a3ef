"""The models that extensions declare for their preferences: which names there are, their defaults, and what fits.

A value that was stored under an older model may not fit the present one. It stays stored, and reads as the default.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from sidecar.errors import InvalidInput
from sidecar.models.preferences import APP
from sidecar.models.validation import refused, with_findings
from sidecar.storage.resources.rows.validation import require_known

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)


def require_usable(model: type[BaseModel]) -> None:
    """Raise `ValueError` for a model that cannot describe preferences: each field needs a default and no alias."""
    for name, field in model.model_fields.items():
        if field.is_required():
            raise ValueError(f"the field '{name}' of {model.__name__} has no default, which every preference needs")
        if field.alias or field.validation_alias or field.serialization_alias:
            raise ValueError(f"the field '{name}' of {model.__name__} has an alias; a preference has only one name")
    try:
        model()
    except ValidationError as error:
        raise ValueError(f"the defaults of {model.__name__} do not fit it: {refused(error).message}") from None


class PreferenceModels:
    """The namespaces that may hold preferences, and the models of those that declare one."""

    def __init__(self, namespaces: Collection[str] = (), models: Mapping[str, type[BaseModel]] | None = None) -> None:
        self._namespaces = {APP, *namespaces}
        self._models = models or {}
        self._reported: set[tuple[str, str]] = set()

    def require_namespace(self, namespace: str) -> None:
        """Raise `InvalidInput` for a namespace that is neither the app's nor that of a loaded extension."""
        require_known("namespace", namespace, self._namespaces)

    def model_of(self, namespace: str) -> type[BaseModel] | None:
        """Return the model of a namespace; `None` where any name and value is allowed."""
        return self._models.get(namespace)

    def namespace_of(self, model: type[BaseModel]) -> str:
        """Return the namespace that declares the model. Raises `LookupError`."""
        for namespace, declared in self._models.items():
            if declared is model:
                return namespace
        raise LookupError(f"no loaded extension declares {model.__name__} as the model of its preferences")

    def fitted(self, namespace: str, model: type[M], stored: Mapping[str, Any]) -> tuple[M, frozenset[str]]:
        """Return the values as the model, and the names whose stored values do not fit it and were left out."""
        values = {name: value for name, value in stored.items() if name in model.model_fields}
        misfits: set[str] = set()
        while True:
            try:
                return model.model_validate_json(to_json(values)), frozenset(misfits)
            except ValidationError as error:
                wrong = {str(finding["loc"][0]): finding["msg"] for finding in error.errors() if finding["loc"]}
                # A validator of the whole model names no field: then every stored value is in doubt.
                dropped = values.keys() & wrong.keys() or set(values)
                if not dropped:
                    raise
                for name in dropped:
                    self._report(namespace, name, wrong.get(name, error.errors()[0]["msg"]))
                    del values[name]
                misfits |= dropped

    def accepted(self, namespace: str, name: str, value: Any, stored: Mapping[str, Any]) -> Any:
        """Return the value as it is to be stored beside the others. Raises `InvalidInput` if the model refuses it."""
        model = self.model_of(namespace)
        if model is None:
            return value
        require_known("name", name, model.model_fields)
        others, _ = self.fitted(namespace, model, {key: kept for key, kept in stored.items() if key != name})
        values = {**others.model_dump(mode="json", exclude_unset=True), name: value}
        try:
            whole = model.model_validate_json(to_json(values))
        except ValidationError as error:
            findings = error.errors(include_url=False, include_input=False, include_context=False)
            raise with_findings([{**found, "loc": found["loc"][1:]} for found in findings], "value") from None
        except ValueError:  # not JSON
            raise InvalidInput.field("value", "must be a JSON value") from None
        return whole.model_dump(mode="json", include={name})[name]

    def _report(self, namespace: str, name: str, reason: str) -> None:
        if (namespace, name) not in self._reported:
            self._reported.add((namespace, name))
            log.warning(
                "the stored preference %s/%s does not fit its model, so its default is used: %s",
                namespace,
                name,
                reason,
            )
