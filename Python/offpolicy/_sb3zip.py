"""Model files of Stable-Baselines3 (SAC, TD3, DDPG, DQN) and CleanRL (TD3, DDPG): the three functions for them.

No function of this package runs a pickle, see `_sb3pickle`.

>>> model = read_sb3("lander.zip")
>>> model.algorithm, sorted(model.tensors)[:1], model.settings["gamma"]
('sac', ['count.critic_optimizer.steps'], 0.99)
"""

from ._sb3cleanrl import read_cleanrl
from ._sb3model import SB3Model
from ._sb3pickle import ForeignFileError
from ._sb3read import read_sb3
from ._sb3write import write_sb3

__all__ = ["ForeignFileError", "SB3Model", "read_cleanrl", "read_sb3", "write_sb3"]
