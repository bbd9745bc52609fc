"""Numbers that change over a run: functions of the progress that remains, from 1 at the start to 0 at the end."""

from __future__ import annotations

from typing import Any, Callable, Dict, Union

Schedule = Callable[[float], float]


class ConstantSchedule:
    """The same number always."""

    def __init__(self, val: float) -> None:
        self.val = val

    def __call__(self, progress_remaining: float) -> float:
        return self.val

    def __repr__(self) -> str:
        return f"ConstantSchedule(val={self.val})"


class LinearSchedule:
    """From `start` to `end` over the first `end_fraction` of the run, then `end`."""

    def __init__(self, start: float, end: float, end_fraction: float) -> None:
        self.start, self.end, self.end_fraction = start, end, end_fraction

    def __call__(self, progress_remaining: float) -> float:
        done = 1 - progress_remaining
        if done >= self.end_fraction:
            return self.end
        return self.start + done * (self.end - self.start) / self.end_fraction

    def __repr__(self) -> str:
        return f"LinearSchedule(start={self.start}, end={self.end}, end_fraction={self.end_fraction})"


class FloatSchedule:
    """A number or a schedule as a schedule of plain floats."""

    def __init__(self, value_schedule: Union[float, Schedule]) -> None:
        if isinstance(value_schedule, FloatSchedule):
            value_schedule = value_schedule.value_schedule
        self.value_schedule: Schedule = (
            value_schedule if callable(value_schedule) else ConstantSchedule(float(value_schedule))
        )

    @property
    def is_constant(self) -> bool:
        """Whether it is a number."""
        return type(self.value_schedule).__name__ == "ConstantSchedule"

    def __call__(self, progress_remaining: float) -> float:
        return float(self.value_schedule(progress_remaining))

    def __repr__(self) -> str:
        return f"FloatSchedule({self.value_schedule})"


_KNOWN = {
    "ConstantSchedule": ("val",),
    "LinearSchedule": ("start", "end", "end_fraction"),
}


def to_json(value: Any) -> Any:
    """A number or a schedule as JSON. A function of somebody else's is saved by its name only."""
    if type(value).__name__ == "FloatSchedule":
        value = value.value_schedule
    if not callable(value):
        return float(value)
    name = type(value).__name__
    if name in _KNOWN:
        return {"schedule": name, **{field: float(getattr(value, field)) for field in _KNOWN[name]}}
    return {"function": getattr(value, "__qualname__", name)}


def from_json(value: Any, current: float) -> Any:
    """What `to_json` wrote; `current` stands for a function that nobody saved."""
    if not isinstance(value, dict):
        return value
    fields: Dict[str, float] = {key: number for key, number in value.items() if key != "schedule"}
    if value.get("schedule") == "ConstantSchedule":
        return ConstantSchedule(**fields)
    if value.get("schedule") == "LinearSchedule":
        return LinearSchedule(**fields)
    return current
