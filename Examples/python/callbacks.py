"""Callbacks: evaluate, keep the best model, save on the way, stop when it is good enough, log numbers of one's own.

python callbacks.py [STEPS]
"""

import sys

import numpy as np

from offpolicy import TD3, BuiltInEnvironment, NormalActionNoise
from offpolicy.callbacks import BaseCallback, CheckpointCallback, StopTrainingOnRewardThreshold
from offpolicy.eval_callback import EvalCallback


class LargestAction(BaseCallback):
    """Logs how far the policy goes; whatever `record` gets is in the table, in CSV and in TensorBoard."""

    def _on_step(self):
        self.logger.record_mean("custom/largest_action", float(np.abs(self.locals["actions"]).max()))
        return True  # False ends training


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 8_000
callbacks = [
    EvalCallback(
        BuiltInEnvironment("Pendulum-v1"), eval_freq=max(steps // 4, 1), n_eval_episodes=3, verbose=1,
        best_model_save_path="best",
        callback_on_new_best=StopTrainingOnRewardThreshold(-160, verbose=1)),
    CheckpointCallback(save_freq=max(steps // 2, 1), save_path="checkpoints", save_replay_buffer=True),
    LargestAction(),
]  # fmt: skip
noise = NormalActionNoise(np.zeros(1), 0.1 * np.ones(1))
model = TD3("MlpPolicy", "Pendulum-v1", action_noise=noise, policy_kwargs={"net_arch": [64, 64]}, seed=0, verbose=1)
model.learn(steps, callback=callbacks, log_interval=20)

# callback= also takes a function of (locals, globals), and the callback objects of Stable-Baselines3
best = TD3.load("best/best_model")
print(f"the best model was saved after {best.num_timesteps} steps")
