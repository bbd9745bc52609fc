# worker.py — a process that steps Python environments for the program: commands by one pipe, answers by another, numbers in
# shared memory. PythonWorker.swift is the other end, and says what each command is.
import os, sys
sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]
import base64, collections, importlib.util, json, math, mmap, struct, traceback, types

COMMANDS, ANSWERS, MEMORY = 3, 4, 5
FINAL = (1, 2)  # flags: terminated, truncated
SHARED = "offpolicy_shared"  # the package of the modules that came from the program


def read(count):
    parts = []
    while count:
        part = os.read(COMMANDS, min(count, 1 << 20))
        if not part:
            os._exit(0)  # the program has ended
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def write(data):
    view = memoryview(data)
    while len(view):
        view = view[os.write(ANSWERS, view):]


def number(form):
    return struct.unpack("<" + form, read(struct.calcsize("<" + form)))[0]


class Refused(Exception):
    """Something that the program cannot learn in: a sentence."""


refusals = (Refused,)


def load(reference, options):
    kind, _, name = reference.partition(":")
    if kind == "gym":
        try:
            import gymnasium
        except ImportError:
            raise Refused(f"{sys.executable} has no gymnasium: install it there, or choose another interpreter")
        sys.path.append(os.getcwd())  # a module of one's own; behind everything that is installed
        try:
            return gymnasium.make(name, render_mode="rgb_array", **options)
        except TypeError:
            return gymnasium.make(name, **options)
    path, _, function = name.rpartition(":")
    folder = os.path.dirname(os.path.abspath(path))
    sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or not os.path.exists(path):
        raise Refused(f"there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    make = getattr(module, function, None)
    if make is None:
        raise Refused(f"{path} has no function {function}")
    return make(**options)


def define(modules):
    """Makes modules of their texts: those of the Python package that turn observations into rows."""
    package = types.ModuleType(SHARED)
    package.__path__ = []
    sys.modules[SHARED] = package
    for name, text in modules:
        module = types.ModuleType(f"{SHARED}.{name}")
        module.__package__ = SHARED
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(compile(text, f"<{name}.py>", "exec"), module.__dict__)
    return package


class Spaces:
    """How observations become rows of numbers, and rows of numbers actions: as in the Python package."""

    def __init__(self, env, shared):
        spaces, flatten = shared.spaces, shared.flatten
        if getattr(env, "observation_space", None) is None or getattr(env, "action_space", None) is None:
            raise Refused(f"{env!r} is no environment: it has no observation_space or no action_space")
        space, action = env.observation_space, env.action_space
        # Tuples are parts, as dictionaries are; nothing here depends on the name of a policy
        spaces.check_observations(space, "MultiInputPolicy")
        if spaces.kind(action) not in ("Box", "Discrete"):
            raise Refused(f"the action space is {action}; expected a Box or a Discrete")
        spaces.check_actions(action, spaces.kind(action) == "Discrete", "it")
        self.goals = None
        rows = flatten.Flattener(space, goals=spaces.is_goal_space(space))
        if rows.goals:
            sizes = [part.size for part in rows.parts]
            if sizes[1] != sizes[2]:
                raise Refused(f"the achieved goal has {sizes[1]} values, the desired one {sizes[2]}")
            self.goals = {"observationSize": sizes[0], "goalSize": sizes[1]}
        self.count, self.write = rows.size, rows.write
        chosen = flatten.ActionMap(action)
        self.actions, self.width, self.given = chosen.settings(), chosen.size, chosen.single

    def row(self, observation):
        row = np.empty(self.count, np.float32)
        self.write(observation, row)
        return row


# ---- exact saving: the plain attributes of environment and wrappers, its generator, MuJoCo's own state


def packed(value):
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size < 1 << 20:
        return {"array": value.dtype.str, "shape": value.shape, "bytes": base64.b64encode(value.tobytes()).decode()}
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return {"scalar": value.dtype.str, "bytes": base64.b64encode(value.tobytes()).decode()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"plain": value}
    if isinstance(value, (list, tuple, collections.deque)):
        parts = [packed(part) for part in value]
        if all(part is not None for part in parts):
            return {"list": type(value).__name__, "parts": parts}
    return None


def unpacked(value):
    if "array" in value:
        return np.frombuffer(base64.b64decode(value["bytes"]), np.dtype(value["array"])).reshape(value["shape"]).copy()
    if "scalar" in value:
        return np.frombuffer(base64.b64decode(value["bytes"]), np.dtype(value["scalar"]))[0]
    if "list" in value:
        kind = {"list": list, "tuple": tuple, "deque": collections.deque}[value["list"]]
        return kind(unpacked(part) for part in value["parts"])
    return value["plain"]


def layers(env):
    found = [env]
    while found[-1] is not env.unwrapped:
        found.append(found[-1].env)
    return found


def snapshot(env):
    state = {"layers": []}
    for layer in layers(env):
        own = {name: packed(value) for name, value in vars(layer).items()}
        state["layers"].append({name: value for name, value in own.items() if value is not None})
    inner = env.unwrapped
    state["generator"] = inner.np_random.bit_generator.state
    if type(getattr(inner, "data", None)).__name__ == "MjData":
        import mujoco
        values = np.empty(mujoco.mj_stateSize(inner.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(inner.model, inner.data, values, mujoco.mjtState.mjSTATE_INTEGRATION)
        state["mujoco"] = packed(values)
    return state


def restore(env, state):
    for layer, own in zip(layers(env), state["layers"]):
        for name, value in own.items():
            setattr(layer, name, unpacked(value))
    inner = env.unwrapped
    inner.np_random.bit_generator.state = state["generator"]
    if "mujoco" in state:
        import mujoco
        mujoco.mj_setState(inner.model, inner.data, unpacked(state["mujoco"]), mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(inner.model, inner.data)
        mujoco.mj_setState(inner.model, inner.data, unpacked(state["mujoco"]), mujoco.mjtState.mjSTATE_INTEGRATION)


def saves_exactly(make, spaces):
    """Whether a fresh environment, brought to a snapshot of another, goes on as that one does."""
    try:
        first, second = make(), make()
        draws = np.random.default_rng(0)

        def action():
            if "choices" in spaces.actions:
                return spaces.given(np.array([draws.integers(spaces.actions["choices"])]))
            low, high = np.array(spaces.actions["low"]), np.array(spaces.actions["high"])
            return spaces.given((low + draws.random(low.size) * (high - low)).astype(np.float32))

        first.reset(seed=3)
        second.reset(seed=4)
        for _ in range(7):
            if any(first.step(action())[2:4]):
                first.reset()
        restore(second, json.loads(json.dumps(snapshot(first))))
        for _ in range(100):
            chosen = action()
            a, b = first.step(chosen), second.step(chosen)
            if not (np.array_equal(spaces.row(a[0]), spaces.row(b[0])) and a[1:4] == b[1:4]):
                return False
            if a[2] or a[3]:
                if not np.array_equal(spaces.row(first.reset()[0]), spaces.row(second.reset()[0])):
                    return False
        first.close(), second.close()
        return True
    except Exception:
        return False


def of_goals(function, achieved, desired):
    """What an environment's function gives for rows of goals: for all at once, or one by one where it takes no rows."""
    try:
        values = np.asarray(function(achieved, desired, np.array([{} for _ in achieved])))
    except ValueError:  # such as that of an array's truth value
        values = np.empty(0)
    if values.size != len(achieved):
        values = np.asarray([function(a, d, {}) for a, d in zip(achieved, desired)])
    return values.reshape(len(achieved))


# ---- commands


class Worker:
    def __init__(self, reference, options, lanes, shared):
        self.make = lambda: load(reference, options)
        self.envs = [self.make() for _ in range(lanes)]
        self.spaces = Spaces(self.envs[0], shared)
        self.pending = [None] * lanes  # the first observation of the episode that a lane is at the beginning of
        self.lane = 0

    def describe(self, looks):
        spec = getattr(self.envs[0], "spec", None)
        exact = looks and saves_exactly(self.make, self.spaces)
        return {"observationSize": self.spaces.count, "actions": self.spaces.actions, "goals": self.spaces.goals,
                "maximumSteps": getattr(spec, "max_episode_steps", None),
                "rewardThreshold": getattr(spec, "reward_threshold", None), "resume": "exact" if exact else "episode"}

    def map(self, size):
        memory = mmap.mmap(MEMORY, size)
        lanes, s, a, place = len(self.envs), self.spaces.count, self.spaces.width, 0

        def part(kind, *shape):
            nonlocal place
            array = np.ndarray(shape, kind, memory, place)
            place += (array.nbytes + 7) // 8 * 8
            return array

        self.rewards, self.flags, self.active = part(np.float64, lanes), part(np.uint8, lanes), part(np.uint8, lanes)
        self.actions, self.next = part(np.float32, lanes, a), part(np.float32, lanes, s)
        self.first = part(np.float32, lanes, s)

    def begin(self, lane, seed):
        env = self.envs[lane]
        if seed is not None:
            observation, _ = env.reset(seed=seed)
            self.spaces.write(observation, self.first[lane])
        elif self.pending[lane] is not None:
            self.first[lane] = self.pending[lane]
        else:
            observation, _ = env.reset()
            self.spaces.write(observation, self.first[lane])
        self.pending[lane] = None

    def step(self):
        for lane, env in enumerate(self.envs):
            if not self.active[lane]:
                continue
            self.lane = lane
            result = env.step(self.spaces.given(self.actions[lane]))
            if len(result) != 5:
                raise ValueError(f"step gave {len(result)} values; expected observation, reward, terminated, truncated, info")
            observation, reward, terminated, truncated, _ = result
            self.spaces.write(observation, self.next[lane])
            self.rewards[lane] = reward
            self.flags[lane] = (FINAL[0] if terminated else 0) | (FINAL[1] if truncated else 0)
            if self.flags[lane]:
                self.pending[lane] = self.spaces.row(env.reset()[0])

    def goals(self, rows):
        size = self.spaces.goals["goalSize"]
        achieved, desired = np.frombuffer(read(8 * rows * size), np.float32).reshape(2, rows, size).astype(np.float64)
        inner = getattr(self.envs[0], "unwrapped", self.envs[0])
        rewards = of_goals(inner.compute_reward, achieved, desired)
        terminated = np.full(rows, 2, np.uint8)  # as it was
        if hasattr(inner, "compute_terminated"):
            terminated[:] = of_goals(inner.compute_terminated, achieved, desired).astype(bool)
        return rewards.astype(np.float32).tobytes() + terminated.tobytes()

    def save(self, lane):
        pending = self.pending[lane]
        return json.dumps({"env": snapshot(self.envs[lane]), "pending": None if pending is None else packed(pending)}).encode()

    def restore(self, lane, data):
        state = json.loads(data)
        env = self.envs[lane]
        env.reset(seed=0)
        restore(env, state["env"])
        self.pending[lane] = None if state["pending"] is None else unpacked(state["pending"])


def sentence(error):
    """What went wrong, and where: the last line of the traceback that is not ours."""
    if isinstance(error, refusals):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno}" for frame in frames if not frame.filename.startswith("<")]
    return f"{type(error).__name__}: {error}" + (f" (at {places[-1]})" if places else "")


def main():
    global np, refusals
    worker = None
    while True:
        command = read(1)
        try:
            answer = b""
            if command == b"L":
                request = json.loads(read(number("I")))
                import numpy as np
                shared = define(request["modules"])
                refusals = (Refused, shared.errors.UnsupportedError)
                worker = Worker(request["reference"], request["options"], request["lanes"], shared)
                text = json.dumps(worker.describe(request["looks"])).encode()
                answer = struct.pack("<I", len(text)) + text
            elif command == b"M":
                worker.map(number("Q"))
            elif command == b"R":
                worker.lane, seeded, seed = struct.unpack("<IBQ", read(13))
                worker.begin(worker.lane, seed if seeded else None)
            elif command == b"S":
                worker.step()
            elif command == b"G":
                answer = worker.goals(number("I"))
            elif command == b"V":
                worker.lane = number("I")
                text = worker.save(worker.lane)
                answer = struct.pack("<I", len(text)) + text
            elif command == b"W":
                worker.lane, count = struct.unpack("<II", read(8))
                worker.restore(worker.lane, read(count))
            else:
                os._exit(0)
            write(b"k" + answer)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException as error:
            if not isinstance(error, (Refused, Exception)):
                raise
            text = sentence(error).encode()[:8000]
            write(b"e" + struct.pack("<II", worker.lane if worker else 0, len(text)) + text)


main()
