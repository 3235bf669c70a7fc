"""Makes the images of the benchmark, as OCI layouts, from files of this machine."""
import hashlib
import io
import json
import os
import platform
import random
import shutil
import stat
import sys
import tarfile
import zlib
from concurrent.futures import ProcessPoolExecutor

MB = 1000 * 1000
SMALL_FILES, BIG_FILES, INCOMPRESSIBLE, EDITION = 350 * MB, 350 * MB, 300 * MB, 150 * MB
EDITIONS = (1, 2)
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
FILE_COUNTS = (1000, 10000, 100000)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


class LayerWriter:
    """A file for tarfile to write to: gzip-compresses into `path` and digests both sides."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
        self.plain, self.packed = hashlib.sha256(), hashlib.sha256()
        self.plain_size = self.size = 0

    def write(self, data):
        self.plain.update(data)
        self.plain_size += len(data)
        self.put(self.deflate.compress(data))
        return len(data)

    def put(self, data):
        self.packed.update(data)
        self.size += len(data)
        self.file.write(data)

    def close(self):
        self.put(self.deflate.flush())
        self.file.close()


class Pieces:
    """A file to read whose content is never held as a whole."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)
        self.rest = b""

    def read(self, size):
        while len(self.rest) < size:
            piece = next(self.pieces, None)
            if piece is None:
                break
            self.rest += piece
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def find_files(roots, at_least, at_most, total):
    """(path, size) of regular files in a fixed order, until their sizes make up `total`."""
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for path in sorted(os.path.join(folder, name) for name in names):
                info = os.lstat(path)
                if stat.S_ISREG(info.st_mode) and at_least <= info.st_size <= at_most and os.access(path, os.R_OK):
                    yield path
                    total -= info.st_size
                    if total <= 0:
                        return


def machine_files(roots, at_least, at_most, total):
    for path in find_files(roots, at_least, at_most, total):
        with open(path, "rb") as file:
            yield path.lstrip("/"), [file.read()]


def random_file(name, seed, size):
    source = random.Random(seed)
    yield name, [source.randbytes(min(MB, size - done)) for done in range(0, size, MB)]


def numbered_files(count):
    for number in range(count):
        yield f"data/{number // 100}/{number}", [f"{number}\n".encode() * 400]


def repeated_file(name, seed, size):
    """A file that compresses to a few parts in a hundred."""
    block = random.Random(seed).randbytes(20000) * (MB // 20000)
    yield name, [block] * (size // MB)


def edition(number):
    """Files of the machine, and their directories; in the second edition every twentieth is another one."""
    directories = set()
    files = machine_files(["/usr/share", "/usr/lib", "/usr/include"], 2 << 10, 64 << 10, EDITION)
    for index, (path, pieces) in enumerate(files):
        steps = path.split("/")
        for depth in range(1, len(steps)):
            directory = "/".join(steps[:depth])
            if directory not in directories:
                directories.add(directory)
                yield directory, None
        yield path, [piece[::-1] for piece in pieces] if number == 2 and index % 20 == 0 else pieces


CONTENTS = {
    "small": lambda: machine_files(["/usr/share", "/usr/lib", "/usr/include"], 2 << 10, 64 << 10, SMALL_FILES),
    "big": lambda: machine_files(["/usr/bin", "/usr/lib", "/usr/share"], 1 << 20, 100 << 20, BIG_FILES),
    "random": lambda: random_file("data/random", 1, INCOMPRESSIBLE),
    **{f"piece{n}": lambda n=n: random_file(f"data/piece{n}", n, MB) for n in range(10)},
    **{f"files-{count}": lambda count=count: numbered_files(count) for count in FILE_COUNTS},
    **{f"edition{n}": lambda n=n: edition(n) for n in EDITIONS},
    **{f"repeated{n}": lambda n=n: repeated_file(f"data/repeated{n}", n, 1000 * MB) for n in range(5)},
}
# Those of the first are made together; each of the others when a case asks for it.
IMAGES = {"big": ["small", "big", "random"], "layer": ["random"], "ten": [f"piece{n}" for n in range(10)]}
RARE_IMAGES = {"huge": [f"repeated{n}" for n in range(5)], **{f"edition{n}": [f"edition{n}"] for n in EDITIONS}, **{f"files-{count}": [f"files-{count}"] for count in FILE_COUNTS}}


def make_layer(job):
    """Writes one layer to a file named by its content's name, and returns what a manifest says of it."""
    name, folder = job
    path = os.path.join(folder, name)
    writer = LayerWriter(path)
    files = 0
    with tarfile.open(fileobj=writer, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for member, pieces in CONTENTS[name]():
            info = tarfile.TarInfo(member)
            if pieces is None:
                info.type, info.mode, pieces = tarfile.DIRTYPE, 0o755, []
            else:
                info.mode = 0o644
            info.size, info.mtime = sum(map(len, pieces)), 1600000000
            tar.addfile(info, Pieces(pieces))
            files += 1
    writer.close()
    descriptor = {"mediaType": LAYER_TYPE, "digest": "sha256:" + writer.packed.hexdigest(), "size": writer.size}
    return {"path": path, "descriptor": descriptor, "diff_id": "sha256:" + writer.plain.hexdigest(),
            "plain_size": writer.plain_size, "files": files}


def put_blob(layout, media_type, document):
    data = json.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(layout, "blobs/sha256", digest), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}


def make_layout(layout, layers, purpose="benchmark"):
    blobs = os.path.join(layout, "blobs/sha256")
    os.makedirs(blobs)
    for layer in layers:
        os.link(layer["path"], os.path.join(blobs, layer["descriptor"]["digest"][7:]))
    machine = platform.machine()
    config = put_blob(layout, CONFIG_TYPE, {
        "created": "2020-09-13T12:26:40Z", "os": "linux", "architecture": ARCHITECTURES.get(machine, machine),
        "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/bin/sh"], "Labels": {"purpose": purpose}},
        "rootfs": {"type": "layers", "diff_ids": [layer["diff_id"] for layer in layers]},
        "history": [{"created": "2020-09-13T12:26:40Z", "created_by": "benchmark"} for _ in layers]})
    manifest = put_blob(layout, MANIFEST_TYPE, {
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config,
        "layers": [layer["descriptor"] for layer in layers]})
    for name, document in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                           ("index.json", {"schemaVersion": 2, "manifests": [manifest]})):
        with open(os.path.join(layout, name), "w") as file:
            json.dump(document, file)


def make_images(folder, names=IMAGES):
    """Fills `folder` with one OCI layout per image and `layers.json`, unless it has them already."""
    listing = os.path.join(folder, "layers.json")
    if not os.path.exists(listing):
        print("making the images", file=sys.stderr, flush=True)
        parts = os.path.join(folder, "layers")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(parts)
        with ProcessPoolExecutor() as pool:
            wanted = list(dict.fromkeys(layer for layers in names.values() for layer in layers))
            made = dict(zip(wanted, pool.map(make_layer, [(layer, parts) for layer in wanted])))
        for image, layers in names.items():
            make_layout(os.path.join(folder, image), [made[layer] for layer in layers])
        shutil.rmtree(parts)
        with open(listing, "w") as file:
            json.dump(made, file)
    with open(listing) as file:
        return json.load(file)


def link_or_copy(source, destination):
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)


class Layout:
    """What a benchmark needs to know of an OCI layout with one image."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "index.json")) as file:
            self.manifest_digest = json.load(file)["manifests"][0]["digest"]
        with open(self.blob(self.manifest_digest), "rb") as file:
            self.manifest_bytes = file.read()
        manifest = json.loads(self.manifest_bytes)
        self.layers = manifest["layers"]
        self.blobs = [manifest["config"], *self.layers]

    def blob(self, digest):
        return os.path.join(self.path, "blobs", digest.replace(":", "/"))

    def link_as_dir(self, folder):
        """The same image in the form of the dir: transport, by hard links if it can."""
        os.makedirs(folder)
        for blob in self.blobs:
            link_or_copy(self.blob(blob["digest"]), os.path.join(folder, blob["digest"][7:]))
        for name, data in (("manifest.json", self.manifest_bytes), ("version", b"Directory Transport Version: 1.1\n")):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
