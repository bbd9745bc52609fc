"""The slow environment of what P for the program's workers, see from_python.py: Pendulum-v1 whose step sleeps 5 ms."""

import time

import gymnasium


class Sleeping(gymnasium.Wrapper):
    """An environment whose step takes 5 ms, in which nothing is computed."""

    def step(self, action):
        time.sleep(0.005)
        return self.env.step(action)


def make():
    return Sleeping(gymnasium.make("Pendulum-v1"))
