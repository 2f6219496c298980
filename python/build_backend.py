"""Builds a wheel that holds the module and the command: the command first, then maturin does the rest."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import maturin

HERE = Path(__file__).resolve().parent
DATA = HERE / "anomaly_train.data"
SCRIPTS = DATA / "scripts"
NAME = "anomaly-train.exe" if sys.platform == "win32" else "anomaly-train"
# Where shells and man look under the prefix, and what they find there.
SHARED = {
    "man/man1": ("man", "*.1"),
    "bash-completion/completions": ("completions", "*.bash"),
    "zsh/site-functions": ("completions", "_*"),
    "fish/vendor_completions.d": ("completions", "*.fish"),
}


def lay_pages():
    """Lays manual pages and completions beside the command."""
    for place, (folder, names) in SHARED.items():
        shared = DATA / "data" / "share" / place
        shared.mkdir(parents=True, exist_ok=True)
        for path in (HERE.parent / folder).glob(names):
            shutil.copy2(path, shared / path.name.removesuffix(".bash"))


def _build_command():
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    command = ["cargo", "build", "--release", "--locked", "--bin", "anomaly-train", "--target-dir", str(target)]
    subprocess.run(command, cwd=HERE.parent, check=True, stdout=sys.stderr)
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(target / "release" / NAME, SCRIPTS / NAME)
    lay_pages()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _build_command()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _build_command()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    # Maturin asks for the folder before there is anything in it.
    lay_pages()
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
get_requires_for_build_wheel = maturin.get_requires_for_build_wheel
get_requires_for_build_editable = maturin.get_requires_for_build_editable
