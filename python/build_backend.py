"""Lays manual pages and completions where a wheel takes them from; the rest is maturin's.

As a script it does the first alone, for whoever calls `maturin build` himself.
"""

import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Where shells and man look under the prefix, and what they find there.
SHARED = {
    "man/man1": ("man", "*.1"),
    "bash-completion/completions": ("completions", "*.bash"),
    "zsh/site-functions": ("completions", "_*"),
    "fish/vendor_completions.d": ("completions", "*.fish"),
}


def lay_pages():
    for place, (folder, names) in SHARED.items():
        shared = HERE / "anomaly_train.data" / "data" / "share" / place
        shared.mkdir(parents=True, exist_ok=True)
        for path in (HERE.parent / folder).glob(names):
            shutil.copy2(path, shared / path.name.removesuffix(".bash"))


def _hook(name):
    def call(*args, **options):
        import maturin

        lay_pages()
        return getattr(maturin, name)(*args, **options)

    return call


# The hooks of PEP 517 and PEP 660. Each of them asks for the folder.
build_wheel = _hook("build_wheel")
build_editable = _hook("build_editable")
prepare_metadata_for_build_wheel = _hook("prepare_metadata_for_build_wheel")
prepare_metadata_for_build_editable = _hook("prepare_metadata_for_build_editable")
get_requires_for_build_wheel = _hook("get_requires_for_build_wheel")
get_requires_for_build_editable = _hook("get_requires_for_build_editable")


if __name__ == "__main__":
    lay_pages()
