"""The worker of the program's Python environments, without the program: rewards and terminations of other goals."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

import offpolicy.flatten
import offpolicy.spaces

pytest.importorskip("gymnasium")
SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "Sources", "PythonBridge", "worker.py")

ENVIRONMENT = """
from environments_for_tests import Reach, np

class OneByOne(Reach):
    def compute_reward(self, achieved, desired, info):
        return -float(np.linalg.norm(achieved - desired) > 0.5)

class Branches(Reach):
    def compute_reward(self, achieved, desired, info):
        return 0.0 if abs(achieved - desired) <= 0.5 else -1.0
    def compute_terminated(self, achieved, desired, info):
        return bool(achieved == desired)

class Wrong(Reach):
    def compute_reward(self, achieved, desired, info):
        return np.zeros(3)
    def step(self, action):
        return self._observation(), 0.0, False, False, {}
"""


@pytest.fixture
def worker_module(monkeypatch):
    if not os.path.exists(SOURCE):
        pytest.skip("the program's sources are not here")
    with open(SOURCE) as file:
        text = file.read()
    assert text.rstrip().endswith("\nmain()")
    # the worker looks for modules elsewhere than these tests
    monkeypatch.setattr("sys.path", list(sys.path))
    module = {"__name__": "worker", "np": np}
    exec(compile(text.rstrip()[: -len("main()")], SOURCE, "exec"), module)
    return module


def answered(module, tmp_path, name, achieved, desired):
    path = tmp_path / "environments.py"
    path.write_text(ENVIRONMENT)
    worker = module["Worker"](f"python:{path}:{name}", {}, 1, offpolicy)
    module["read"] = lambda count: np.array([achieved, desired], np.float32).tobytes()
    answer = worker.goals(len(achieved))
    rows = len(achieved)
    return np.frombuffer(answer[: 4 * rows], np.float32).tolist(), list(answer[4 * rows :])


@pytest.mark.parametrize("name,ends", [("Reach", [2, 2, 2]), ("OneByOne", [2, 2, 2]), ("Branches", [1, 0, 0])])
def test_a_compute_reward_that_takes_one_goal_at_a_time_is_asked_goal_by_goal(worker_module, tmp_path, name, ends):
    rewards, terminated = answered(worker_module, tmp_path, name, [0.0, 1.0, 2.0], [0.0, 1.25, 5.0])
    assert rewards == [0, 0, -1] and terminated == ends


def test_rewards_that_are_no_numbers_of_goals_are_an_error(worker_module, tmp_path):
    with pytest.raises(ValueError, match="cannot reshape array of size 6"):
        answered(worker_module, tmp_path, "Wrong", [0.0, 1.0], [0.0, 1.0])
