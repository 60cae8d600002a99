"""
How our values become JSON and come back: one converter for states, snapshots and inputs.

The converter is made at its first use: cattrs takes a tenth of what the app's import costs.
"""

from datetime import time, timedelta
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.schedules import DayOfMonth, Schedule

if TYPE_CHECKING:
    from cattrs import Converter


@cache
def _converter() -> "Converter":
    from cattrs.preconf.json import make_converter
    from cattrs.strategies import configure_tagged_union

    converter = make_converter(forbid_extra_keys=True)
    for kind in (VmId, VaultId, Slot):
        converter.register_unstructure_hook(kind, str)
        converter.register_structure_hook(kind, lambda raw, cls: cls.parse(raw))
    converter.register_unstructure_hook_func(_is_code, lambda code: code.name)
    converter.register_structure_hook_func(_is_code, lambda raw, cls: cls[raw])
    converter.register_unstructure_hook(time, time.isoformat)
    converter.register_structure_hook(time, lambda raw, _: time.fromisoformat(raw))
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, lambda raw, _: timedelta(seconds=raw))
    for union in (Schedule, DayOfMonth):
        configure_tagged_union(union.__value__, converter, tag_name="is")
    return converter


def _is_code(cls: Any) -> bool:
    """Whether values of `cls` are known by their names, because what they hold are words."""
    return isinstance(cls, type) and issubclass(cls, Enum) and not issubclass(cls, str | int)


def to_json(value: Any, as_type: Any = None) -> Any:
    """Return `value` as JSON; a union needs its type named."""
    return _converter().unstructure(value, unstructure_as=as_type)


def from_json[T](value: Any, as_type: type[T]) -> T:
    """Return the value that `to_json` wrote; raises Malformed for anything else."""
    from cattrs.errors import BaseValidationError

    try:
        return _converter().structure(value, as_type)
    except (BaseValidationError, ValueError, TypeError, KeyError) as error:
        raise Malformed(f"not a {as_type}, as this version writes it") from error
