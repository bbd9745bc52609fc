"""Continuing a run: everything is in one file, and going on gives the bits of never having stopped.

python continue_run.py [STEPS]
"""

import sys

from offpolicy import SAC

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
arguments = {"policy_kwargs": {"net_arch": [64, 64]}, "batch_size": 64, "seed": 3}

whole = SAC("MlpPolicy", "Pendulum-v1", **arguments).learn(steps)

half = SAC("MlpPolicy", "Pendulum-v1", **arguments).learn(steps // 2)
half.save("half")  # weights, targets, optimisers, replay buffer, random streams, the environment
del half

again = SAC.load("half")  # in another process, on another day
again.learn(steps - again.num_timesteps, reset_num_timesteps=False)
print(f"never stopped {whole.digest}, stopped and continued {again.digest}")
assert again.digest == whole.digest
