#!/usr/bin/env python3
"""check-instructions.py — proves that no vector instruction is outside the kernels that are chosen at start.

    Scripts/check-instructions.py [BUILD]        BUILD: the folder of a release build; default .build/release

On x86-64 the program is compiled three ways: `Vector` for AVX2 and FMA, `Vector512` for AVX-512, all else for the baseline,
which must run anywhere, at least as far as the line that says that the processor is too old. Of `MatrixUnit.c` the functions
that Vector512 calls are compiled for AVX-512 and AMX. Two things could break that:

1. A weak symbol. Code that two modules emit under one name, such as a generic specialisation of the standard library, is
   kept once by the linker, whichever comes first. So every weak function of Vector's and Vector512's objects must carry its
   module in its name: then no other module can mean the same one.
2. An instruction. The linked program is disassembled; instructions that need AVX-512 may be only in functions of Vector512
   and the matrix unit's, those that need AVX only there and in functions of Vector, those that need AMX only in the unit's.
"""

import glob
import platform
import re
import subprocess
import sys

MODULES = {"Vector": "6Vector", "Vector512": "9Vector512"}  # as mangled names spell them
MATRIX_UNIT = ("enterMatrixUnit", "leaveMatrixUnit", "splitRows", "splitColumns", "multiplySplit")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def weak_functions(build, module):
    """Weak symbols in executable sections of a module's objects."""
    objects = glob.glob(f"{build}/{module}.build/*.o")
    if not objects:
        sys.exit(f"check-instructions.py: no objects in {build}/{module}.build; build with `swift build -c release` first")
    for path in objects:
        for line in run("objdump", "--syms", path).splitlines():
            # value, seven flag characters, section, size, name; STB_GNU_UNIQUE is 'u', weak is 'w'
            match = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden |\.protected )?(\S+)$", line)
            if match and match[1][0] in " gu" and ("w" in match[1] or "u" in match[1]) and match[2].startswith(".text"):
                yield match[3]


def instructions(binary):
    """(function, instruction) of a linked program."""
    process = subprocess.Popen(
        ["objdump", "--disassemble", "--no-show-raw-insn", "--no-addresses", binary], stdout=subprocess.PIPE, text=True)
    function = "?"
    for line in process.stdout:
        if line.endswith(">:\n"):
            function = line[line.index("<") + 1 : -3]
        elif line.startswith("\t"):
            yield function, line.strip()
    if process.wait() != 0:
        sys.exit(f"check-instructions.py: objdump cannot read {binary}")


def main():
    if platform.machine() not in ("x86_64", "AMD64"):
        print("check-instructions.py: nothing to check on", platform.machine())
        return
    build = sys.argv[1] if len(sys.argv) > 1 else ".build/release"
    problems = []

    weak = 0
    for module, mangled in MODULES.items():
        for name in weak_functions(build, module):
            weak += 1
            if mangled not in name:
                problems.append(f"{module} emits the weak function {name}, which other modules may emit too")

    # AVX-512: registers of 64 bytes, vector registers 16 to 31, mask registers. AVX: every other instruction with a v in front
    wide = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])\b|%k[0-7]\b")
    vector = re.compile(r"v[a-z0-9]+\s.*%[xy]mm|vzero")
    tile = re.compile(r"%tmm|tilerelease|ldtilecfg")
    counts = {"AVX-512": 0, "AVX": 0, "AMX": 0}
    seen = set()
    for function, instruction in instructions(f"{build}/offpolicy"):
        if tile.search(instruction):
            kind, allowed = "AMX", ()
        elif wide.search(instruction):
            kind, allowed = "AVX-512", ("9Vector512",)
        elif vector.match(instruction):
            kind, allowed = "AVX", ("9Vector512", "6Vector")
        else:
            continue
        counts[kind] += 1
        if function not in MATRIX_UNIT and not any(name in function for name in allowed) and (function, kind) not in seen:
            seen.add((function, kind))
            problems.append(f"{function} has an {kind} instruction: {' '.join(instruction.split())}")
    if not all(counts.values()):
        problems.append(f"found {counts} instructions, so this check or the build's flags are broken")

    for problem in problems[:20]:
        print("check-instructions.py:", problem, file=sys.stderr)
    if problems:
        sys.exit(f"check-instructions.py: {len(problems)} problems in {build}")
    print(f"check-instructions.py: {weak} weak functions, all of their own module; {counts['AVX']} AVX, {counts['AVX-512']} AVX-512"
          f" and {counts['AMX']} AMX instructions, all in the kernels")


if __name__ == "__main__":
    main()
