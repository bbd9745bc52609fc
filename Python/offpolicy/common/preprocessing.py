"""Sizes of spaces."""

from typing import Any, Dict, Tuple, Union

import numpy as np

from .. import spaces
from ..flatten import Flattener

__all__ = ["get_action_dim", "get_flattened_obs_dim", "get_obs_shape", "is_image_space", "is_image_space_channels_first"]


def is_image_space(observation_space: Any, check_channels: bool = False, normalized_image: bool = False) -> bool:
    """Whether observations are pictures: three dimensions, of bytes from 0 to 255.

    :param check_channels: whether the channels, first or last, have to be 1, 3 or 4
    :param normalized_image: whether type and bounds do not matter
    """
    space = observation_space
    if not (normalized_image and spaces.kind(space) == "Box" and len(space.shape) == 3) and not spaces.is_image(space):
        return False
    return not check_channels or min(space.shape[0], space.shape[-1]) in (1, 3, 4)


def is_image_space_channels_first(observation_space: Any) -> bool:
    """Whether the channels of pictures are their first dimension: the smallest one."""
    return int(np.argmin(observation_space.shape)) == 0


def get_obs_shape(observation_space: Any) -> Union[Tuple[int, ...], Dict[str, Any]]:
    """The shape of an observation as a replay buffer keeps it; a Discrete one has (1)."""
    space = observation_space
    if spaces.kind(space) == "Dict":
        return {key: get_obs_shape(part) for key, part in space.spaces.items()}
    return (1,) if spaces.kind(space) == "Discrete" else tuple(space.shape)


def get_flattened_obs_dim(observation_space: Any) -> int:
    """S, the numbers of an observation as networks see it."""
    return Flattener(observation_space).size


def get_action_dim(action_space: Any) -> int:
    """The numbers of an action."""
    return int(np.prod(action_space.shape)) if action_space.shape else 1
