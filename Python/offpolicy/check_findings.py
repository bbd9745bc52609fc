"""What the checker of environments can find, and what to do about each finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Tuple

from .errors import OffPolicyError

#: rule: severity, what to do
RULES: Dict[str, Tuple[str, str]] = {
    "works": ("error", "make the environment run without raising"),
    "is one environment": ("error", "check one of its environments alone, then give the vector to the model"),
    "has the interface": ("error", "derive from gymnasium.Env and set observation_space and action_space in __init__"),
    "observations are supported": ("error", "give numbers: flatten, scale or encode what the observation holds"),
    "actions are supported": ("error", "use a Box with finite bounds, or Discrete; map other actions inside step()"),
    "bounds are in order": ("error", "set low below high for each number"),
    "reset takes seed and options": ("error", "write def reset(self, *, seed=None, options=None)"),
    "reset takes options": ("warning", "write def reset(self, *, seed=None, options=None)"),
    "reset returns a pair": ("error", "return observation, info from reset(), info a dictionary, {} at least"),
    "step returns five values": ("error", "return observation, reward, terminated, truncated, info from step()"),
    "info is a dictionary": ("error", "return a dictionary, {} at least"),
    "observation has its form": (
        "error",
        "return what observation_space says: its keys, its shapes, arrays of numbers",
    ),
    "observation has its type": ("warning", "convert it: np.asarray(observation, dtype=self.observation_space.dtype)"),
    "observation is finite": (
        "error",
        "end the episode before a value overflows, and check sensors and divisions for 0",
    ),
    "observation is in its space": ("warning", "widen the bounds of observation_space, or clip the value"),
    "observation is scaled": (
        "warning",
        "divide by a typical size, or use normalisation: networks learn best from values near 1",
    ),
    "observation is fresh": ("warning", "return a copy: whoever keeps an observation sees it change at the next step"),
    "reward is a number": ("error", "return float(reward): one number, not an array, not None"),
    "reward is finite": ("error", "bound the reward, and check divisions for 0"),
    "reward is scaled": ("warning", "divide rewards so that a typical one is near 1: large ones make critics diverge"),
    "flags are booleans": ("warning", "return bool(terminated), bool(truncated)"),
    "action is left alone": ("warning", "copy the action before you change it: action = np.array(action)"),
    "first step does not end": ("warning", "reset the clock in reset(), and end episodes after what the agent did"),
    "episodes end": ("warning", "limit the time: gymnasium.wrappers.TimeLimit(env, max_episode_steps=1000)"),
    "time limits truncate": (
        "warning",
        "return truncated=True, terminated=False where time is over: terminated says that nothing follows this state",
    ),
    "seed repeats the start": ("warning", "set the whole state in reset(), and draw only from self.np_random"),
    "seed repeats the episode": ("warning", "keep nothing over a reset, and draw only from self.np_random"),
    "seed is used": ("warning", "begin reset() with super().reset(seed=seed)"),
    "own generator": (
        "warning",
        "draw from self.np_random: a global generator is shared, and no seed of reset() repeats it",
    ),
    "goals are recomputed": (
        "error",
        "compute_reward(achieved_goal, desired_goal, info) takes a goal or rows of goals, and gives step()'s rewards",
    ),
    "instances are alike": ("warning", "keep nothing in globals or in the class, and draw only from self.np_random"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that an environment does wrong."""

    rule: str
    #: what was seen
    what: str
    #: where in the check
    place: str

    @property
    def severity(self) -> str:
        """ "error": it cannot be learned from; "warning": it can."""
        return RULES[self.rule][0]

    @property
    def fix(self) -> str:
        """What to do."""
        return RULES[self.rule][1]

    def __str__(self) -> str:
        return f"{self.severity}: {self.what}, {self.place}; {self.fix}"


class EnvironmentCheckError(OffPolicyError, AssertionError, ValueError):
    """An environment cannot be learned from. `findings` has everything that was found."""

    def __init__(self, findings: List[Finding]) -> None:
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))
