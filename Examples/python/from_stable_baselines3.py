"""From Stable-Baselines3 and back: its files are read and written, and nothing in them is run.

    python from_stable_baselines3.py [MODEL.zip]

Without an argument a model of this package is written as such a file first. Neither Stable-Baselines3 nor PyTorch is
needed.
"""

import sys

import gymnasium
import numpy as np

from offpolicy import SAC

if len(sys.argv) > 1:
    path = sys.argv[1]
else:
    path = "model_sb3.zip"
    SAC("MlpPolicy", "Pendulum-v1", policy_kwargs={"net_arch": [64, 64]}, seed=0).learn(500).save_sb3(path)

# its actions, its optimisers' moments, its counters; the replay buffer is not in its file
model = SAC.load(path, env=gymnasium.make("Pendulum-v1"))
observation = np.array([1.0, 0.0, 0.0], dtype=np.float32)
action, _ = model.predict(observation, deterministic=True)
print(f"after {model.num_timesteps} steps there the action is {action}")

model.learn(500, reset_num_timesteps=False)
model.save_sb3("back.zip")  # stable_baselines3.SAC.load("back.zip") opens it and trains on
print(f"now {model.num_timesteps} steps, the action is {model.predict(observation, deterministic=True)[0]}")
