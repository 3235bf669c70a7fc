"""Where the benchmark works: the programs, the images, and the registries with what they hold."""
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import time

import images
import services

TAGS = 10000
STORED_IMAGES = 200


def store_at(folder, image="localhost/big:latest"):
    """A local store of its own; skip_mount_home leaves no mount behind that would outlive the run."""
    return f"containers-storage:[overlay@{folder}/root+{folder}/run:overlay.skip_mount_home=true]{image}"


class Workplace:
    def __init__(self, programs, folder, cache, stack):
        self.programs = programs
        self.folder = folder
        self.stack = stack
        self.image_folder = os.path.join(cache or folder, "lade-bench-images")
        self.home = self.subfolder("home")
        self.runs = 0
        self.env = {**os.environ, "HOME": self.home, "XDG_RUNTIME_DIR": self.home, "TMPDIR": self.subfolder("tmp")}

    @property
    def out(self):
        """Where the run in progress is to write; absent before it."""
        return os.path.join(self.folder, f"out-{self.runs}")

    def subfolder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def start(self, kind, *arguments, **options):
        service = kind(*arguments, **options)
        self.stack.callback(service.stop)
        return service

    def has_images(self):
        return "layers" in vars(self)

    @functools.cached_property
    def layers(self):
        return images.make_images(self.image_folder)

    def layout(self, image):
        if image in images.RARE_IMAGES:
            folder = os.path.join(self.image_folder + "-rare", image)
            images.make_images(folder, {image: images.RARE_IMAGES[image]})
            return images.Layout(os.path.join(folder, image))
        assert self.layers
        return images.Layout(os.path.join(self.image_folder, image))

    @functools.cached_property
    def source(self):
        """The registry that holds every image, and ten thousand tags in the repository `tags`."""
        assert self.layers
        print("filling the registry", file=sys.stderr, flush=True)
        registry = self.start(services.Registry, self.programs["docker-registry"], self.subfolder("source"))
        for image in images.IMAGES:
            registry.push(image, "latest", self.layout(image), images.MANIFEST_TYPE)
        registry.push("tags", "latest", self.layout("ten"), images.MANIFEST_TYPE)
        registry.multiply_tag("tags", "latest", [f"tag-{n:05}" for n in range(1, TAGS)])
        return registry

    @functools.cached_property
    def secure_source(self):
        """The same content behind TLS."""
        tls = services.make_certificate(self.folder)
        folder = self.subfolder("secure")
        return self.start(services.Registry, self.programs["docker-registry"], folder, self.source.storage, tls)

    @functools.cached_property
    def far(self):
        return self.proxy(self.source, "--delay", "25")

    @functools.cached_property
    def secure_far(self):
        return self.proxy(self.secure_source, "--delay", "25")

    @functools.cached_property
    def narrow(self):
        return self.proxy(self.source, "--rate", "10000000")

    @functools.cached_property
    def edition_source(self):
        """A registry with the editions as zstd:chunked, tags 1 and 2."""
        registry = self.start(services.Registry, self.programs["docker-registry"], self.subfolder("editions"))
        for number in images.EDITIONS:
            subprocess.run([self.programs["lade"], "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
                            "--format=oci", "--dest-compress-format=zstd:chunked",
                            f"oci:{self.layout(f'edition{number}').path}",
                            f"docker://{registry.host}/edition:{number}"], env=self.env, check=True)
        return registry

    @functools.cached_property
    def editions(self):
        """The same at 10 MB/s a connection; what it hands on is in `editions_log`."""
        return self.start(services.Proxy, self.edition_source, self.editions_log, "--rate", "10000000")

    @property
    def editions_log(self):
        return os.path.join(self.folder, "editions.log")

    def bytes_of_editions(self):
        """What the proxy has handed on so far."""
        time.sleep(0.5)  # a connection is told of at its end
        with open(self.editions_log) as log:
            return sum(int(line.split()[5]) for line in log if line.startswith("connection"))

    def proxy(self, target, *options):
        return self.start(services.Proxy, target, os.path.join(self.folder, "proxy.log"), *options)

    @functools.cached_property
    def directory(self):
        path = os.path.join(self.folder, "dir")
        self.layout("big").link_as_dir(path)
        return path

    @functools.cached_property
    def store(self):
        """A local store with the image, filled by skopeo."""
        path = os.path.join(self.folder, "store")
        subprocess.run([self.programs["skopeo"], "--insecure-policy", "copy", "-q", f"oci:{self.layout('big').path}",
                        store_at(path)], check=True)
        return path

    @functools.cached_property
    def crowded_store(self):
        """A local store with STORED_IMAGES images of one layer, filled by lade."""
        path, layout = os.path.join(self.folder, "crowded"), os.path.join(self.folder, "crowd")
        for number in range(STORED_IMAGES):
            images.make_layout(layout, [self.single_layer], f"image {number}")
            subprocess.run([self.programs["lade"], "--insecure-policy", "copy", "-q", f"oci:{layout}",
                            store_at(path, f"localhost/image{number}:latest")], check=True)
            shutil.rmtree(layout)
        return path

    @functools.cached_property
    def far_mirror_source(self):
        """The repository `many` with STORED_IMAGES small images, 10 ms away."""
        layout = os.path.join(self.folder, "many")
        for number in range(STORED_IMAGES):
            images.make_layout(layout, [self.single_layer], f"image {number}")
            self.source.push("many", f"tag-{number:03}", images.Layout(layout), images.MANIFEST_TYPE)
            shutil.rmtree(layout)
        return self.proxy(self.source, "--delay", "10")

    @property
    def far_target(self):
        """The run's target registry, 10 ms away."""
        if not self.target_proxy:
            self.target_proxy = services.Proxy(self.target, os.path.join(self.folder, "proxy.log"), "--delay", "10")
        return self.target_proxy

    @functools.cached_property
    def single_layer(self):
        layer = self.layers["piece0"]
        return {**layer, "path": self.layout("ten").blob(layer["descriptor"]["digest"])}

    @contextlib.contextmanager
    def fresh_run(self, needs_target, keeps_outcome=False):
        """Gives the run an absent `out`, an empty target registry if it needs one, and a disk with nothing to write.

        Thousands of files MUST NOT be removed between runs (`keeps_outcome`): for five minutes ext4 looks past the
        inode numbers of removed files one by one, which makes the creation of files ten times slower for all.
        """
        self.runs += 1
        self.target = self.target_proxy = None
        if needs_target:
            self.target = services.Registry(self.programs["docker-registry"], self.subfolder("target"))
        os.sync()
        try:
            yield
        finally:
            if self.target_proxy:
                self.target_proxy.stop()
            if self.target:
                self.target.stop()
                self.target.empty()
            if not keeps_outcome:
                shutil.rmtree(self.out, ignore_errors=True)
