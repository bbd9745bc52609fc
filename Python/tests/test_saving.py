"""Files of models: what is in them comes back as it was, whatever arguments, infos and spaces a model has."""

from __future__ import annotations

import enum

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import SAC  # noqa: E402
from offpolicy.common.monitor import Monitor  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)


class Tells(Counter):
    """An environment whose infos say something."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def step(self, action):
        return (*super().step(action)[:4], {"told": self.value})


@pytest.mark.parametrize(
    "value, kept",
    [(None, None), ({"a": 1}, None), (enum.Enum("Kind", "one").one, None), ({1}, None), ("far", None), (np.zeros(3), None),
     (np.bool_(True), 1.0), (np.float32(0.5), 0.5), (np.array(2), 2.0)],
)  # fmt: skip
def test_numbers_of_infos_are_saved_and_nothing_else_of_them(tmp_path, value, kept):
    SAC("MlpPolicy", Monitor(Tells(value), info_keywords=("told",)), **SMALL).learn(20).save(tmp_path / "model")
    first = SAC.load(tmp_path / "model").ep_info_buffer[0]
    assert first["l"] == 4 and first.get("told") == kept


@pytest.mark.parametrize("steps", [34, 22])
def test_a_loaded_model_learns_on_with_a_replay_buffer_that_is_read(tmp_path, steps):
    SAC("MlpPolicy", Counter(), **SMALL).learn(34).save(tmp_path / "model")
    SAC("MlpPolicy", Counter(), **SMALL).learn(steps).save_replay_buffer(tmp_path / "buffer")
    model = SAC.load(tmp_path / "model", env=Counter())
    model.load_replay_buffer(tmp_path / "buffer")
    model.learn(10, reset_num_timesteps=False)
    rows = model.replay_buffer.transitions()
    assert model.num_timesteps == 44 and len(rows["rewards"]) == steps + 10
    assert np.array_equal(rows["observations"][:, 1] + 1, rows["next_observations"][:, 1])
