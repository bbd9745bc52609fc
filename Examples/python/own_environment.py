"""An environment of one's own: a cart on a line, from the class to a policy that was saved and loaded.

python own_environment.py [STEPS]
"""

import sys

import gymnasium
import numpy as np

from offpolicy import SAC, check_env, evaluate_policy


class Cart(gymnasium.Env):
    """Push a cart to the middle of a line, and keep it there."""

    def __init__(self):
        # position in m, velocity in m/s
        self.observation_space = gymnasium.spaces.Box(-5, 5, (2,), np.float32)
        # force in N; any finite bounds will do
        self.action_space = gymnasium.spaces.Box(-2, 2, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.velocity, self.clock = self.np_random.uniform(-2, 2), 0.0, 0
        return self.observation(), {}

    def step(self, action):
        self.velocity = float(np.clip(self.velocity + 0.1 * float(action[0]), -5, 5))
        self.position += 0.1 * self.velocity
        self.clock += 1
        fell_off = abs(self.position) > 4  # nothing follows: terminated
        time_is_over = self.clock >= 100  # the cart could go on: truncated
        self.position = float(np.clip(self.position, -5, 5))
        return self.observation(), -abs(self.position) - (100 if fell_off else 0), fell_off, time_is_over, {}

    def observation(self):
        return np.array([self.position, self.velocity], dtype=np.float32)


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
check_env(Cart)  # a sentence with a fix for everything that is wrong

model = SAC("MlpPolicy", Cart(), policy_kwargs={"net_arch": [64, 64]}, seed=0, verbose=0)
before, _ = evaluate_policy(model, Cart(), n_eval_episodes=5)
model.learn(steps)
after, deviation = evaluate_policy(model, Cart(), n_eval_episodes=5)
print(f"return of 5 episodes: {before:.0f} before, {after:.0f} ± {deviation:.0f} after {steps} steps")

model.save("cart")
action, _ = SAC.load("cart").predict(np.array([1.0, 0.0], np.float32), deterministic=True)
print(f"at 1 m it pushes with {action[0]:+.2f} N")
