"""What a VecNormalize normalises by, told to the library, which stores what was there before it.

As in Stable-Baselines3: the replay buffer keeps raw observations and rewards. What leaves it, and what the policy acts from,
is normalised by the statistics as they are by then. The library is told of them before it uses them.
"""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from . import _native
from .flatten import Flattener
from .vec_normalize import vec_normalize_of


class Statistics:
    """What a VecNormalize normalises by, as three rows (S) that the library reads.

    mean, scale and bound: clip((s − mean) / scale, ±bound); where a value is not normalised, 0, 1 and infinity.
    """

    def __init__(self, normalizer: Any, flattener: Flattener) -> None:
        self.normalizer = normalizer
        size = flattener.size
        self._mean, self._scale, self._bound = np.zeros(size), np.ones(size), np.full(size, np.inf)
        self._addresses = [array.ctypes.data for array in (self._mean, self._scale, self._bound)]
        #: where each part of a Dict is in a row; one part without a name else
        self._places: "list[tuple[Optional[str], slice]]" = [(None, slice(0, size))]
        if flattener.kind == "Dict":
            ends = np.cumsum([part.size for part in flattener.parts])
            self._places = [
                (key, slice(end - part.size, end)) for key, part, end in zip(flattener.keys, flattener.parts, ends)
            ]

    def give(self, learner: _native.Learner) -> None:
        """Tells the library of the statistics as they are now."""
        normalizer = self.normalizer
        for key, place in self._places:
            found = normalizer.obs_rms if normalizer.norm_obs else None
            if key is not None and found is not None:
                found = found.get(key)
            if found is None:
                self._mean[place], self._scale[place], self._bound[place] = 0, 1, np.inf
            else:
                self._mean[place] = np.ravel(found.mean)
                self._scale[place] = np.sqrt(np.ravel(found.var) + normalizer.epsilon)
                self._bound[place] = normalizer.clip_obs
        divisor, bound = 1.0, math.inf
        if normalizer.norm_reward:
            divisor, bound = math.sqrt(float(normalizer.ret_rms.var) + normalizer.epsilon), float(normalizer.clip_reward)
        learner.set_normalization(self._addresses, len(self._mean), divisor, bound)


def raw_normalizer(environment: Any) -> Any:
    """The VecNormalize around a VecEnv whose raw observations are those of the outermost wrapper, but for the statistics.

    None where there is none, and where a wrapper outside of it makes other observations of its own.
    """
    normalizer = vec_normalize_of(environment)
    if normalizer is None or normalizer.observation_space != environment.observation_space:
        return None
    return normalizer
