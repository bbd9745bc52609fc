"""Small environments to try things with, after those that Stable-Baselines3's documentation uses."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import numpy as np

from .errors import UnsupportedError

try:
    from gymnasium import Env, spaces
except ImportError:
    from . import spaces  # type: ignore[no-redef]

    class Env:  # type: ignore[no-redef]
        """What Gymnasium's Env does, where Gymnasium is not installed."""

        metadata: Dict[str, Any] = {"render_modes": []}
        render_mode: Optional[str] = None
        np_random = np.random.default_rng()

        def reset(self, *, seed: Optional[int] = None, options: Any = None) -> None:
            """Seeds the generator."""
            if seed is not None:
                self.np_random = np.random.default_rng(seed)

        def close(self) -> None:
            """Nothing is open."""


Step = Tuple[Any, float, bool, bool, Dict[str, Any]]


class BitFlippingEnv(Env):
    """Bits that are to be made all ones, one at each step; the reward is 0 there and −1 elsewhere (Andrychowicz 2017, section 3.1).

    :param n_bits: bits
    :param continuous: whether an action is a number for each bit, which is flipped where it is above 0; else the bit's number
    :param max_steps: steps until an episode is cut; None: as many as bits
    :param discrete_obs_space: whether bits are one number, Discrete(2^n)
    :param image_obs_space: refused: bits as pictures need a convolutional network
    """

    def __init__(
        self, n_bits: int = 10, continuous: bool = False, max_steps: Optional[int] = None, discrete_obs_space: bool = False,
        image_obs_space: bool = False, channel_first: bool = True, render_mode: Optional[str] = None,
    ) -> None:  # fmt: skip
        if image_obs_space:
            raise UnsupportedError("BitFlippingEnv: image_obs_space=True is not supported; there are no convolutional networks")
        self.n_bits, self.continuous, self.render_mode = n_bits, continuous, render_mode
        self.max_steps = n_bits if max_steps is None else max_steps
        self.discrete_obs_space = discrete_obs_space
        bits = spaces.Discrete(2**n_bits) if discrete_obs_space else spaces.MultiBinary(n_bits)
        self.observation_space = spaces.Dict({"observation": bits, "achieved_goal": bits, "desired_goal": bits})
        self.action_space: Any = spaces.Discrete(n_bits)
        if continuous:
            self.action_space = spaces.Box(-1.0, 1.0, (n_bits,), np.float32)
        self.desired_goal = np.ones(n_bits, dtype=np.int8)
        self.state = np.zeros(n_bits, dtype=np.int8)
        self.current_step = 0

    def _told(self, bits: np.ndarray) -> Any:
        return int(bits @ (1 << np.arange(self.n_bits))) if self.discrete_obs_space else bits.copy()

    def _observation(self) -> Dict[str, Any]:
        state = self._told(self.state)
        return {"observation": state, "achieved_goal": self._told(self.state), "desired_goal": self._told(self.desired_goal)}

    def reset(self, *, seed: Optional[int] = None, options: Any = None) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        """Draws bits."""
        super().reset(seed=seed)
        self.current_step = 0
        self.state = self.np_random.integers(0, 2, self.n_bits).astype(np.int8)
        return self._observation(), {}

    def step(self, action: Any) -> Step:
        """Flips bits."""
        if self.continuous:
            self.state[np.asarray(action) > 0] ^= 1
        else:
            self.state[int(action)] ^= 1
        self.current_step += 1
        observation = self._observation()
        reward = float(self.compute_reward(observation["achieved_goal"], observation["desired_goal"], None))
        terminated = reward == 0
        return observation, reward, terminated, self.current_step >= self.max_steps, {"is_success": terminated}

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> np.ndarray:
        """0 where goals are the same, else −1 (n)."""
        same = np.asarray(achieved_goal) == np.asarray(desired_goal)
        if not self.discrete_obs_space:
            same = same.all(axis=-1)
        return same.astype(np.float32) - 1

    def render(self) -> Optional[np.ndarray]:
        """The bits, printed, or as an array."""
        if self.render_mode == "rgb_array":
            return self.state.copy()
        print(self.state)
        return None


class IdentityEnv(Env):
    """The action that earns 1 is the observation; others earn 0.

    :param dim: choices; or `space`, the space of both
    :param ep_length: steps of an episode
    """

    def __init__(self, dim: Optional[int] = None, space: Any = None, ep_length: int = 100) -> None:
        if dim is not None and space is not None:
            raise ValueError("IdentityEnv: dim and space were both given; one of them says all")
        if space is None:
            space = spaces.Discrete(1 if dim is None else dim)
        self.action_space = self.observation_space = space
        self.ep_length, self.current_step, self.num_resets = ep_length, 0, -1
        self._choose()

    def _choose(self) -> None:
        self.state = self.action_space.sample()

    def reset(self, *, seed: Optional[int] = None, options: Any = None) -> Tuple[Any, Dict[str, Any]]:
        """Draws an observation."""
        super().reset(seed=seed)
        if seed is not None:
            self.action_space.seed(seed)
        self.current_step = 0
        self.num_resets += 1
        self._choose()
        return self.state, {}

    def step(self, action: Any) -> Step:
        """Compares, and draws the next observation."""
        reward = self._reward(action)
        self._choose()
        self.current_step += 1
        return self.state, reward, False, self.current_step >= self.ep_length, {}

    def _reward(self, action: Any) -> float:
        return float(np.all(self.state == action))

    def render(self, mode: str = "human") -> None:
        """Nothing is to be seen."""


class IdentityEnvBox(IdentityEnv):
    """The same for one number: an action that is nearer than `eps` earns 1."""

    def __init__(self, low: float = -1, high: float = 1, eps: float = 0.05, ep_length: int = 100) -> None:
        super().__init__(space=spaces.Box(low, high, (1,), np.float32), ep_length=ep_length)
        self.eps = eps

    def _reward(self, action: Any) -> float:
        return float(np.all(np.abs(self.state - action) <= self.eps))
