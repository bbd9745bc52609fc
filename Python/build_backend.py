"""Makes the wheel of this package, for pip (PEP 517, PEP 660) and for Scripts/build-wheel.sh. Needs Python alone.

pip install ./Python                       builds the library first, where there is a Swift toolchain
python3 Python/build_backend.py FOLDER     a wheel in FOLDER, of the library that lies beside the package
"""

import base64
import hashlib
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent
PACKAGE = ROOT / "offpolicy"
LIBRARY = PACKAGE / ("liboffpolicy.dylib" if sys.platform == "darwin" else "liboffpolicy.so")
# the library of the glibc that the oldest systems have which can run it
OLDEST_GLIBC = 34


def project():
    """The tables of pyproject.toml, whose values are JSON in one line each; Python before 3.11 cannot read TOML."""
    tables, table = {}, {}
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        heading = re.fullmatch(r"\[([\w.-]+)\]", line.strip())
        if heading:
            table = tables.setdefault(heading[1], {})
        elif re.match(r"[\w-]+ = ", line):
            key, value = line.split(" = ", 1)
            table[key] = json.loads(value)
    return tables


def metadata():
    """The text of METADATA."""
    tables = project()
    about = tables["project"]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"Requires-Python: {about['requires-python']}",
        "License-Expression: Apache-2.0" if "Apache" in license_text() else "License: see LICENSE",
        "License-File: LICENSE",
    ]
    lines += [f"Requires-Dist: {requirement}" for requirement in about["dependencies"]]
    for extra, requirements in tables.get("project.optional-dependencies", {}).items():
        lines += [f"Provides-Extra: {extra}"] + [f'Requires-Dist: {one}; extra == "{extra}"' for one in requirements]
    return "\n".join(lines) + "\n"


def license_text():
    path = ROOT.parent / "LICENSE"
    return path.read_text() if path.exists() else ""


def tag():
    """The platforms that the library runs on. Nothing of it is of one Python."""
    if sys.platform == "darwin":
        return f"py3-none-macosx_26_0_{platform.machine()}"
    needed = max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", LIBRARY.read_bytes())), default=17)
    return f"py3-none-manylinux_2_{max(needed, OLDEST_GLIBC)}_{platform.machine()}"


def stem():
    about = project()["project"]
    return f"{about['name']}-{about['version']}"


def write_wheel(folder, files):
    """Writes a wheel; the same files make the same bytes."""
    information = f"{stem()}.dist-info"
    files = dict(files)
    files[f"{information}/METADATA"] = metadata().encode()
    files[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: build_backend\nRoot-Is-Purelib: false\nTag: {tag()}\n".encode()
    )
    files[f"{information}/licenses/LICENSE"] = license_text().encode()
    record = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}\n")
    record.append(f"{information}/RECORD,,\n")
    files[f"{information}/RECORD"] = "".join(record).encode()
    path = pathlib.Path(folder) / f"{stem()}-{tag()}.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith((".so", ".dylib")) else 0o644) << 16
            archive.writestr(entry, content)
    return path


def package_files():
    paths = sorted(path for path in PACKAGE.rglob("*") if path.suffix == ".py" or path.name == "py.typed") + [LIBRARY]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def build_library():
    """Builds the library, or takes the one that lies there where no Swift toolchain is."""
    script = ROOT.parent / "Scripts/build-wheel.sh"
    if shutil.which("swift") and script.exists():
        if subprocess.run([str(script), "--library-only"]).returncode != 0:
            sys.exit("offpolicy: the library could not be built; the compiler's messages are above")
    elif not LIBRARY.exists():
        sys.exit(
            f"offpolicy: there is no {LIBRARY.name} beside the package and no Swift toolchain to build it; install "
            "Swift 6.2 or later (swift.org/install), or a wheel that was built elsewhere"
        )


# ---- what pip calls


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_editable(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    # without it pip would build the library only to learn the package's name
    folder = pathlib.Path(metadata_directory) / f"{stem()}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(metadata())
    return folder.name


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    build_library()
    return write_wheel(wheel_directory, package_files()).name


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    build_library()
    return write_wheel(wheel_directory, {"offpolicy.pth": f"{ROOT}\n".encode()}).name


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit(
        "offpolicy: there is no source archive of the Python package alone; its library is built from the repository"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: build_backend.py FOLDER")
    if not LIBRARY.exists():
        sys.exit(f"there is no {LIBRARY}; Scripts/build-wheel.sh builds it")
    made = write_wheel(sys.argv[1], package_files())
    print(f"{made}, {made.stat().st_size / 1e6:.1f} MB")
