"""Random calls of the C functions, and what is given to them. Used by fuzz_c.py."""

import ctypes
import json
import os
import random
import struct
import sys

SLOT = 65_536  # bytes of a thread's last call: its number, its length, its text
BUFFER = 1 << 20
TRACE = "FUZZ_TRACE" in os.environ  # every call is printed

WHOLE = [0, 1, 2, 3, 7, -1, -2, 255, 2**31, 2**32 + 1, 2**62, 2**63 - 1, -(2**63)]
REAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, 5e-324, 1e30, 1e308, float("inf"), float("-inf"), float("nan")]
NAMES = [b"learningRate", b"epsilon", b"temperature", b"", b"learningrate", b"\xff\xfe", b"x" * 3000]


class Caller:
    """One thread of calls."""

    def __init__(self, library, seed, slot, shared):
        self.library, self.rng, self.slot, self.shared = library, random.Random(seed), slot, shared
        self.calls, self.broken = 0, []
        # as large as any count that is not absurd asks for
        self.input = (ctypes.c_uint8 * BUFFER)()
        self.output = (ctypes.c_uint8 * BUFFER)()
        self.kept = []

    # ---- the call

    def call(self, name, *arguments, note=""):
        self.calls += 1
        text = f"{name}{arguments!r} {note}".encode()[: SLOT - 16]
        self.slot[0:16] = struct.pack("<qq", self.calls, len(text))
        self.slot[16 : 16 + len(text)] = text
        if TRACE:
            print(text.decode(errors="replace")[:300], file=sys.stderr, flush=True)
        result = getattr(self.library, "offpolicy_" + name)(*arguments)
        if result < -1:
            self.broken.append(f"{name} returned {result}: {text!r:.500}")
        elif result == -1:
            length = self.library.offpolicy_error(None, 0)
            content = ctypes.create_string_buffer(max(length, 1))
            self.library.offpolicy_error(ctypes.addressof(content), length)
            try:
                sentence = content.raw[:length].decode()
            except UnicodeDecodeError:
                sentence = ""
            if not sentence or "\n" in sentence:
                self.broken.append(f"{name} left the error {content.raw[:200]!r}: {text!r:.500}")
        return result

    def made(self, result):
        """The bytes that a call made."""
        if result < 0:
            return b""
        content = ctypes.create_string_buffer(max(result, 1))
        if self.library.offpolicy_result(ctypes.addressof(content), result) != result:
            self.broken.append("offpolicy_result has another length than its call returned")
        return content.raw[:result]

    # ---- what is given

    def bytes(self, content):
        """An address and a length that is true."""
        if self.rng.random() < 0.01:
            return (None, self.rng.choice([0, 5, -1])) if content else (None, 0)
        buffer = ctypes.create_string_buffer(content, max(1, len(content)))
        self.kept = self.kept[-4:] + [buffer]
        return ctypes.addressof(buffer), self.rng.choice([len(content)] * 30 + [0, -1, -(2**63), len(content) // 2])

    def floats(self):
        """The address of numbers, most of them sane."""
        rng = self.rng
        for i in range(rng.choice([0, 1, 4, 64])):
            value = rng.choice(REAL) if rng.random() < 0.05 else rng.uniform(-3, 3)
            at = rng.randrange(64) * 4
            self.input[at : at + 4] = struct.pack("<f", max(-3e38, min(3e38, value)) if value == value else value)
        return None if rng.random() < 0.01 else ctypes.addressof(self.input)

    def doubles(self, count):
        """The address of some numbers above 0, most of them."""
        rng = self.rng
        wild = rng.random() < 0.2
        values = [rng.choice(REAL) if wild and rng.random() < 0.3 else rng.uniform(0.1, 3) for _ in range(max(1, count))]
        array = (ctypes.c_double * len(values))(*values)
        self.kept = self.kept[-6:] + [array]
        return None if rng.random() < 0.01 else ctypes.addressof(array)

    def out(self):
        return None if self.rng.random() < 0.01 else ctypes.addressof(self.output)

    def handle(self, kind="learner"):
        known = self.shared["handles"][kind]
        if self.rng.random() < 0.03 or not known:
            others = [h for handles in self.shared["handles"].values() for h, *_ in handles]
            return self.rng.choice(others + WHOLE + [h + 1 for h in others])
        return self.rng.choice(known)[0]

    def facts(self, handle):
        """N, S, A of a learner; ones where it is none."""
        return next((facts for known, facts in self.shared["handles"]["learner"] if known == handle), (1, 1, 1))

    def count(self, right):
        return right if self.rng.random() < 0.95 else self.rng.choice(WHOLE + [right + 1, right - 1])

    def damaged(self, content):
        """Bytes with some of them changed, or the end gone."""
        rng, content = self.rng, bytearray(content)
        for _ in range(rng.choice([0, 0, 1, 2, 20])):
            if content:
                # the header is where the lengths are
                content[rng.randrange(min(len(content), rng.choice([16, 400, 1 << 30])))] = rng.randrange(256)
        if rng.random() < 0.1:
            del content[rng.randrange(len(content) + 1) :]
        if rng.random() < 0.05:
            content += bytes(rng.randrange(40))
        return bytes(content)

    def json(self, value):
        """JSON with some values changed, as bytes."""
        rng = self.rng
        value = json.loads(json.dumps(value))
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            self.change(value)
        content = json.dumps(value).encode()
        if rng.random() < 0.05:
            content = self.damaged(content)
        if rng.random() < 0.005:
            content = rng.choice(
                [b"[" * 20_000, b'{"a":' * 20_000, b"\xff\xfe", b"null", b"{}", b"1e999", b'"\\ud800"']
            )
        return content

    def change(self, value):
        rng = self.rng
        while isinstance(value, (dict, list)) and value:
            key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
            if isinstance(value[key], (dict, list)) and value[key] and rng.random() < 0.7:
                value = value[key]
                continue
            if rng.random() < 0.2 and isinstance(value, dict):
                del value[key]
            else:
                wild = [None, True, "", "x", [], {}, [1, 2], -1, 0, 1, 0.5, -0.5, 1e300, 2**40, 2**63, 1e-320, "inf"]
                value[key] = rng.choice(wild)
            return

    # ---- learners, policies, environments

    def specification(self):
        rng = self.rng
        algorithm = rng.choice(self.shared["algorithms"])
        name, discrete, hyperparameters = algorithm
        configuration = {
            "hiddenSizes": rng.choice([[4], [5, 3], []]),
            "batchSize": rng.choice([1, 4, 7]),
            "randomSteps": rng.choice([0, 3]),
            "bufferCapacity": rng.choice([16, 100, 1000]),
        }
        for key, default in rng.sample(hyperparameters, rng.choice([0, 0, 1, 3])):
            configuration.setdefault(key, default)
        size, actions = rng.choice([1, 3, 7]), rng.choice([1, 2])
        made = {
            "algorithm": name,
            "configuration": configuration,
            "seed": rng.randrange(9),
            "threads": rng.choice([1, 1, 2]),
            "environments": rng.choice([1, 1, 3]),
            "updatesBeforeFirstBatch": rng.random() < 0.5,
        }
        if rng.random() < 0.3:
            made.update(builtIn=True, environment=rng.choice(self.shared["ids"]))
        else:
            made.update(observationSize=size, environment="x")
            made["actions"] = {"choices": 3} if discrete else {"low": [-1.0] * actions, "high": [2.0] * actions}
            if size == 7 and rng.random() < 0.4:
                made["goals"] = {"observationSize": 3, "goalSize": 2}
                configuration["sampler"] = {"hindsight": {"strategy": "future", "goals": 4}}
        return made

    def make(self):
        if len(self.shared["handles"]["learner"]) > 12:
            return self.close("learner")
        made = self.specification()
        content = self.json(made)
        handle = self.call("learner_make", *self.bytes(content), note=content[:4000])
        if handle < 0:
            return None
        counts = (ctypes.c_int64 * 16)()
        self.call("counts", handle, ctypes.addressof(counts), 16)
        self.shared["handles"]["learner"].append((handle, (counts[5], counts[6], counts[7])))
        return None

    def make_environment(self):
        if len(self.shared["handles"]["environment"]) > 6:
            return self.close("environment")
        content = self.json({"id": self.rng.choice(self.shared["ids"]), "options": {}})
        handle = self.call("environment_make", *self.bytes(content), note=content[:4000])
        if handle > 0:
            facts = json.loads(self.made(self.library.offpolicy_result(None, 0)) or b"{}")
            actions = facts.get("actions", {})
            self.shared["handles"]["environment"].append(
                (handle, (facts.get("observationSize", 1), len(actions.get("low", [0]))))
            )
        return None

    def open_policy(self):
        if len(self.shared["handles"]["policy"]) > 6:
            return self.close("policy")
        handle = self.call(
            "policy_open", *self.bytes(self.damaged(self.rng.choice(self.shared["files"]["policy"] or [b""])))
        )
        if handle > 0:
            self.shared["handles"]["policy"].append((handle, ()))
        return None

    def close(self, kind=None):
        kind = kind or self.rng.choice(["learner", "environment", "policy"])
        known = self.shared["handles"][kind]
        try:
            handle = known.pop(self.rng.randrange(len(known)))[0]
        except (ValueError, IndexError):
            handle = self.rng.choice(WHOLE)
        self.call("close", handle)

    # ---- one random call

    def one(self):
        rng = self.rng
        verb = rng.choices(VERBS, WEIGHTS)[0]
        while verb in self.shared["without"]:
            verb = rng.choices(VERBS, WEIGHTS)[0]
        handle = self.handle()
        n, s, a = self.facts(handle)
        lane = rng.randrange(n) if rng.random() < 0.95 and n > 0 else rng.choice(WHOLE)
        if verb in ("make", "make_environment", "open_policy", "close"):
            getattr(self, verb)()
        elif verb == "begin":
            self.call(verb, handle, lane, self.floats(), self.count(s))
        elif verb == "loop":
            # what a well-behaved loop does, so that updates are reached
            for i in range(n):
                self.call("begin", handle, i, self.floats(), s)
            for _ in range(rng.choice([1, 5, 20])):
                self.call("act", handle, self.out(), n * a)
                for i in range(n):
                    self.input[4096 + i] = rng.choice([0, 0, 0, 1, 2, 3, 4])
                base = ctypes.addressof(self.input)
                outcome = base + 8192, base + 4096, self.floats(), self.floats(), n
                if rng.random() < 0.5:
                    self.call("round", handle, *outcome, self.out(), n * a)
                    continue
                self.call("observe_all", handle, *outcome)
                self.call("learn", handle)
        elif verb in ("act", "replace_actions"):
            self.call(verb, handle, self.out() if verb == "act" else self.floats(), self.count(n * a))
        elif verb == "observe":
            flags = [rng.choice([0, 0, 0, 1]) if rng.random() < 0.97 else rng.choice(WHOLE) for _ in range(2)]
            reward = rng.choice(REAL) if rng.random() < 0.1 else rng.uniform(-1, 1)
            self.call(verb, handle, lane, reward, *flags, self.floats(), self.count(s))
        elif verb in ("observe_all", "round"):
            flags = self.out()
            first = self.floats() if rng.random() < 0.8 else None
            rewards = None if rng.random() < 0.01 else ctypes.addressof(self.input) + 8192
            more = (self.out(), self.count(n * a)) if verb == "round" else ()
            self.call(verb, handle, rewards, flags, self.floats(), first, self.count(n), *more)
        elif verb == "add_transitions":
            base = ctypes.addressof(self.input)
            self.call(verb, handle, lane, self.rows(), self.floats(), self.floats(), base + 8192, self.out(), self.floats())
        elif verb == "abandon":
            self.call(verb, handle, lane)
        elif verb in ("learn", "restart_streams"):
            self.call(verb, handle)
        elif verb == "update":
            self.call(verb, handle, rng.choice([0, 1, 3, -1, -(2**63)]))
        elif verb == "run":
            self.call(
                verb, handle, rng.choice([0, 1, 30, -1, 2**63 - 1]), rng.choice([0.0, 1.0, 3.0, -1.0, float("nan")])
            )
        elif verb == "last_round":
            self.call(verb, handle, self.out(), self.out(), self.out(), self.out())
        elif verb == "counts":
            self.call(verb, handle, self.out(), self.count(9) if rng.random() < 0.9 else 3)
        elif verb == "predict":
            which = handle if rng.random() < 0.7 else self.handle("policy")
            self.call(verb, which, self.floats(), self.rows(), rng.choice([0, 1, 1, -5]), self.out())
        elif verb == "values":
            self.call(verb, handle, self.floats(), self.floats(), self.rows(), self.out())
        elif verb in ("set", "get"):
            address, length = self.bytes(rng.choice(NAMES))
            value = rng.choice(REAL + [1e-3] * 8) if verb == "set" else self.out()
            self.call(verb, handle, address, length, value)
        elif verb == "set_goal_function":
            self.call(verb, handle, rng.choice([None, self.shared["goal"], self.shared["goal"]]))
        elif verb == "set_normalization":
            given = [None] * 3 if rng.random() < 0.2 else [self.doubles(s) for _ in range(3)]
            self.call(verb, handle, *given, self.count(s), *rng.choices([1.0, 2.0, *REAL], [8, 8] + [1] * len(REAL), k=2))
        elif verb in ("restore", "restore_replay", "set_parameters", "environment_restore"):
            kind = {"restore": "state", "restore_replay": "replay", "set_parameters": "parameters"}.get(
                verb, "environment_state"
            )
            kind = kind if rng.random() < 0.95 else rng.choice(list(self.shared["files"]))
            which = handle if verb != "environment_restore" else self.handle("environment")
            content = self.damaged(rng.choice(self.shared["files"][kind] or [b""]))
            self.call(verb, which, *self.bytes(content), note=content[:4000])
        elif verb in ("environment_reset", "environment_step"):
            which = self.handle("environment")
            size, width = next((f for h, f in self.shared["handles"]["environment"] if h == which), (1, 1))
            if verb.endswith("reset"):
                self.call(verb, which, rng.choice(WHOLE), self.out(), self.count(size))
            else:
                out = ctypes.addressof(self.output)
                self.call(
                    verb,
                    which,
                    self.floats(),
                    self.count(width),
                    self.out(),
                    self.count(size),
                    out + 65536,
                    out + 65600,
                )
        elif verb == "describe":
            self.made(self.call(verb))
        elif verb in ("error", "result"):
            self.call(verb, self.out(), rng.choice([0, 1, BUFFER, -1, -(2**63)]))
        else:
            which = self.handle("environment") if verb == "environment_state" else handle
            content = self.made(self.call(verb, which))
            if verb in self.shared["files"] and content:
                files = self.shared["files"][verb]
                files.append(content)
                del files[:-8]

    def rows(self):
        return (
            self.rng.choice([0, 1, 1, 3, 64])
            if self.rng.random() < 0.97
            else self.rng.choice([-1, -(2**63), 2**62, 2**63 - 1])
        )


# how often each function is called
_SHARES = {
    "make": 4, "make_environment": 1, "open_policy": 1, "close": 1.5, "begin": 8, "loop": 4, "round": 4, "act": 8,
    "replace_actions": 4, "observe": 10, "observe_all": 6, "add_transitions": 3, "abandon": 1, "learn": 10, "update": 5, "run": 2,
    "last_round": 2, "counts": 2, "predict": 8, "values": 4, "metrics": 2, "records": 2, "set": 3, "get": 3,
    "set_goal_function": 1, "set_normalization": 1, "state": 1.5, "restore": 2, "restart_streams": 1, "replay": 1.5, "restore_replay": 2,
    "transitions": 1, "parameters": 1, "set_parameters": 2, "policy": 1, "digest": 1, "environment_reset": 3, "environment_step": 6,
    "environment_state": 1, "environment_restore": 2, "describe": 0.1, "error": 1, "result": 1,
}  # fmt: skip
VERBS, WEIGHTS = zip(*_SHARES.items())
