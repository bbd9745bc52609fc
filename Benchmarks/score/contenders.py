"""What is compared: contenders, and the environments with the bars that they are to reach."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CONTENDERS = json.loads((HERE / "contenders.json").read_text())  # "like" names another, which has all settings but those given
PLAIN = "sac"  # what the others are compared with

# bars, and the steps at which a run gives up
BARS = {
    "HalfCheetah-v5": ([6000, 10000], 1_000_000),
    "Hopper-v5": ([2500], 500_000),
    "Walker2d-v5": ([3000], 500_000),
    "Ant-v5": ([3500], 1_000_000),
    "Humanoid-v5": ([4000, 6000], 1_000_000),
    # run by Gymnasium; needs a Python with gymnasium[box2d], see OFFPOLICY_PYTHON
    "gym:LunarLanderContinuous-v3": ([200], 500_000),
    "Pendulum-v1": ([-200], 20_000),
}
SIZES = {"gym:LunarLanderContinuous-v3": ("8", "2")}  # of observations and actions, where `offpolicy list` does not know them
EVALUATIONS = {"Pendulum-v1": 1000}  # steps between two; else 5,000


def contender_of(name):
    """The algorithm, environments and settings of a contender, with those of the one that it is like."""
    own = CONTENDERS[name]
    other = contender_of(own["like"]) if "like" in own else {"environments": 1, "settings": {}}
    return {**other, **own, "settings": {**other["settings"], **own.get("settings", {})}}


def flags(settings):
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


def costly(contender):
    """The settings that change what an update costs: not its rates or its temperature, and not how often it happens."""
    return {name: value for name, value in contender_of(contender)["settings"].items()
            if not name.startswith(("updatesPerStep", "temperature.", "learningRateSchedule")) and not name.endswith("LearningRate")}
