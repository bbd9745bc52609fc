"""Small environments whose every step is known beforehand."""

from __future__ import annotations

import gymnasium as gym
import numpy as np


class Counter(gym.Env):
    """Observation: (episode, step). It ends after `length` steps: terminated, truncated or both, by turns."""

    observation_space = gym.spaces.Box(-1000, 1000, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, length: int = 4) -> None:
        self.length, self.episode = length, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.count = self.episode + 1, 0
        return np.array([self.episode, 0], np.float32), {}

    def step(self, action):
        self.count += 1
        ends = self.count == self.length
        observation = np.array([self.episode, self.count], np.float32)
        return observation, float(self.count), ends and self.episode % 3 != 1, ends and self.episode % 3 != 0, {}


class Drawn(gym.Env):
    """Observations drawn from a space; one episode lasts 10 steps."""

    def __init__(self, observation_space, action_space=None) -> None:
        self.observation_space = observation_space
        self.action_space = action_space or gym.spaces.Box(-2, 2, (1,), np.float32)
        self.actions = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.count += 1
        self.actions.append(action)
        return self.observation_space.sample(), 0.5, False, self.count == 10, {}


class Reach(gym.Env):
    """A point on a line that is to be near a goal; goals of one number. `compute_reward` counts its calls."""

    def __init__(self) -> None:
        one = gym.spaces.Box(-10, 10, (1,), np.float32)
        self.observation_space = gym.spaces.Dict(observation=one, achieved_goal=one, desired_goal=one)
        self.action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.calls = 0

    def _observation(self):
        place = np.array([self.place], np.float32)
        return {"observation": place, "achieved_goal": place, "desired_goal": np.array([self.goal], np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count, self.place, self.goal = 0, 0.0, float(self.np_random.uniform(-3, 3))
        return self._observation(), {}

    def step(self, action):
        self.place = float(np.clip(self.place + action[0], -10, 10))
        self.count += 1
        observation = self._observation()
        reward = float(self.compute_reward(observation["achieved_goal"], observation["desired_goal"], {}))
        return observation, reward, False, self.count == 10, {"is_success": reward == 0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        self.calls += 1
        return -(np.abs(achieved_goal - desired_goal)[..., 0] > 0.5).astype(np.float32)
