"""The extras that a frozen sidecar may hold: which are installed, and which packages each brings."""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec

EXTRAS: Mapping[str, tuple[str, ...]] = {"vectors": ("httpx", "numpy", "simsimd")}
"""The modules that each extra brings to a running sidecar."""

LEFT_OUT = "SIDECAR_FREEZE_WITHOUT"
"""The environment variable that names, for the hook, the extras to leave out although they are installed."""

_DISTRIBUTION = "electron-sidecar"
_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*(?:;(.*))?")


def is_installed(extra: str) -> bool:
    """Return whether all modules of the extra are there. A part of them may be there for another reason."""
    return all(find_spec(module) is not None for module in EXTRAS[extra])


def modules_of(extra: str) -> frozenset[str]:
    """Return the top-level modules of the packages that the extra brings and a sidecar without it does not have."""
    alone = _distributions_of([_DISTRIBUTION])
    brought = _distributions_of(EXTRAS[extra]) - alone
    owners = importlib.metadata.packages_distributions()
    return frozenset(module for module, found in owners.items() if any(_normal(name) in brought for name in found))


def _distributions_of(names: Iterable[str]) -> set[str]:
    """Return these distributions with all that they require, without extras."""
    found: set[str] = set()
    pending = [_normal(name) for name in names]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += _requirements_of(name)
    return found


def _requirements_of(name: str) -> Iterator[str]:
    try:
        requirements = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:  # for another platform
        return
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is not None and "extra" not in (match[2] or ""):
            yield _normal(match[1])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
