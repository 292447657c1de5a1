"""Installs what the client tests need into the cache: Node's packages from the lockfile, Python's from the hashed list.

Everything lies below $FREEHOLD_CACHE/clients/<hash of the list>/, so a changed list is a new folder and nothing is
installed twice. The packages come from the registries through npm and pip alone; no install script of a package runs.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(
    os.environ.get("FREEHOLD_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "freehold"
)
PYTHON = "/usr/bin/python3"
INSTALL_SECONDS = 600


class Problem(Exception):
    """One plain sentence for the person at the terminal."""


def fetched(name):
    """The path of what third_party/lock.toml pins as `name`."""
    done = subprocess.run(
        [PYTHON, str(ROOT / "third_party" / "fetch"), name], capture_output=True, text=True, timeout=INSTALL_SECONDS
    )
    if done.returncode != 0:
        raise Problem(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{name} could not be fetched")
    return pathlib.Path(done.stdout.strip())


def node_folder():
    """The folder of the pinned Node's programs."""
    return fetched("node") / "bin"


def installed(name, parts, fill):
    """The folder for the lists `parts`; `fill(folder)` makes it once. A part-made folder is never used."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes())
    target = CACHE / "clients" / digest.hexdigest()[:16] / name
    if target.exists():
        return target
    staging = target.with_name(f"{name}.{os.getpid()}.part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        fill(staging)
        try:
            os.rename(staging, target)
        except OSError:
            if not target.exists():  # else somebody was faster, with the same content
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def checked(command, what, cwd=None, environment=None):
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Problem(f"{what} could not be installed: {lines[-1][:300] if lines else 'no reason given'}")


def node_modules(folder):
    """Installs the lockfile of `folder` (a Path) and returns the installed copy's folder, which holds node_modules."""
    lists = [folder / "package.json", folder / "package-lock.json", folder / ".npmrc"]

    def fill(staging):
        for part in lists:
            shutil.copy(part, staging / part.name)
        programs = node_folder()
        npm = programs.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        environment = dict(os.environ, PATH=f"{programs}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}")
        checked(
            [
                str(programs / "node"),
                str(npm),
                "ci",
                "--ignore-scripts",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--cache",
                str(CACHE / "npm"),
            ],
            folder.name,
            staging,
            environment,
        )

    return installed(folder.name, lists, fill)


def python_environment(requirements):
    """A virtual environment with the hashed list; returns its python."""

    def fill(staging):
        # --copies and moving it would break the paths inside, so packages go into a plain folder instead.
        checked([PYTHON, "-m", "venv", str(staging / "tool")], "a virtual environment")
        checked(
            [
                str(staging / "tool" / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--target",
                str(staging / "packages"),
                "--requirement",
                str(requirements),
            ],
            "the Python libraries",
        )
        shutil.rmtree(staging / "tool")

    return installed("python", [requirements], fill) / "packages"


if __name__ == "__main__":
    try:
        print(node_modules(HERE / "node"))
        print(python_environment(HERE / "python" / "requirements.txt"))
        if "--claude-code" in sys.argv:
            print(node_modules(HERE / "claude-code"))
    except Problem as problem:
        sys.exit(f"error: {problem}")
