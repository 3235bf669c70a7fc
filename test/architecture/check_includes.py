"""The folders of lib/ in the order of lib/meson.build: each includes only itself and folders above it.

Also: libraries are included only where they are at home. Prints TAP.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
HOMES = {
    "httplib.h": {"registry"},
    "archive.h": {"io", "archive"},
    "openssl/": {"crypt", "io", "registry", "image", "trust"},
    "zlib.h": {"io"},
    "libdeflate.h": {"io"},
    "zstd.h": {"io"},
    "isa-l": {"io"},
    "sqlite3.h": {"config"},
    "re2/": {"sync"},
    "yaml-cpp": {"sync"},
    "sqfs/": {"archive"},
    "toml++": {"config"},
    "yaml-cpp": {"config", "sync"},
    "gpgme.h": {"trust"},
    "cxxopts": set(),
    "iostream": set(),
}


def folders():
    text = (ROOT / "lib/meson.build").read_text()
    return re.findall(r"^subdir\('(\w+)'\)", text, re.MULTILINE)


def problems(path, order):
    """Yields a sentence for each include of a file in lib/ that points the wrong way."""
    folder = path.relative_to(ROOT / "lib").parts[0]
    for quote, name in INCLUDE.findall(path.read_text()):
        first = name.split("/")[0]
        if quote == '"' and first in order and order.index(first) > order.index(folder):
            yield f"{path.relative_to(ROOT)} includes {name}, which is above it"
        for library, homes in HOMES.items():
            if quote == "<" and name.startswith(library) and folder not in homes:
                yield f"{path.relative_to(ROOT)} includes <{name}>, which is not at home in {folder}/"


def too_long(limit=600):
    for top in ("lib", "tools", "test"):
        for path in sorted((ROOT / top).rglob("*.[ch]pp")):
            lines = len(path.read_text().splitlines())
            if lines > limit:
                yield f"{path.relative_to(ROOT)} has {lines} lines"


def report(number, sentence, found):
    print(f"{'not ok' if found else 'ok'} {number} - {sentence}")
    for problem in found:
        print(f"# {problem}")
    return bool(found)


def main():
    order = folders()
    sources = sorted((ROOT / "lib").rglob("*.[ch]pp"))
    print("1..2")
    wrong = [p for source in sources for p in problems(source, order)]
    failed = report(1, "every folder of lib/ includes only from folders above it in lib/meson.build", wrong)
    failed |= report(2, "no source file has more than 600 lines", list(too_long()))
    return 1 if failed else 0


sys.exit(main())
