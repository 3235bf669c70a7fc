"""The cases of working containers and of the runtime: each program in a store of its own, prepared by itself."""
import json
import os
import random
import shutil
import subprocess

from case import Case, Target, told

FILES = 20000
LARGE = 300 * 1000 * 1000
SCRIPT = r"""
set -e
b="$1"
container=$($b from scratch)
mounted=$($b mount $container)
mkdir -p $mounted/bin $mounted/usr/bin
cp "$2" $mounted/bin/busybox
ln -s busybox $mounted/bin/sh; ln -s busybox $mounted/bin/echo
printf '#!/bin/sh\necho This is a new container\n' >"$3"; chmod 755 "$3"
$b copy $container "$3" /usr/bin/runecho.sh
$b config --cmd /usr/bin/runecho.sh $container
$b run --network none $RUNTIME $container /usr/bin/runecho.sh
$b config --created-by somebody $container
$b config --author somebody --label name=bashecho $container
$b inspect $container
$b unmount $container
$b commit $container bashecho
$b images
$b inspect --type=image bashecho
$b rm $container
"""


class Builder:
    """One program's store with the image `base`: a static busybox."""

    def __init__(self, place, program):
        self.place = place
        self.folder = place.subfolder(f"builder-{program}")
        grammar = ["buildah"] if program == "lade" else []
        self.argv = [place.programs[program], *grammar, "--root", f"{self.folder}/root", "--runroot",
                     f"{self.folder}/run", "--storage-driver", "overlay"]
        self.runtime = [] if program == "lade" else ["--runtime", place.programs["crun"]]
        container = self.text("from", "scratch")
        mounted = self.text("mount", container)
        os.mkdir(f"{mounted}/bin")
        shutil.copy(place.programs["busybox"], f"{mounted}/bin/busybox")
        for name in ("sh", "true"):
            os.symlink("busybox", f"{mounted}/bin/{name}")
        self.text("umount", container)
        self.text("commit", "-q", "--rm", container, "base")
        place.stack.callback(subprocess.run, ["umount", "-l", f"{self.folder}/root/overlay"], capture_output=True)

    def command(self, *arguments):
        return [*self.argv, *arguments]

    def text(self, *arguments):
        answer = subprocess.run(self.command(*arguments), env=self.place.env, check=True, capture_output=True, text=True)
        return answer.stdout.strip()


def builder(place, program):
    builders = vars(place).setdefault("builders", {})
    if program not in builders:
        builders[program] = Builder(place, program)
    return builders[program]


def content(place, kind):
    """20,000 small files, or one that no compressor makes smaller."""
    path = os.path.join(place.folder, kind)
    if os.path.exists(path):
        return path
    source = random.Random(1)
    if kind == "large":
        with open(path, "wb") as file:
            for _ in range(LARGE // 1000000):
                file.write(source.randbytes(1000000))
        return path
    for number in range(FILES):
        folder = f"{path}/{number % 200:03}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{number}", "wb") as file:
            file.write(source.randbytes(source.choice((200, 1000, 4000))))
    return path


def from_image(place, program):
    return builder(place, program).command("from", "base")


def run_true(*flags):
    def command(place, program):
        own = builder(place, program)
        return own.command("run", *own.runtime, *flags, own.text("from", "base"), "true")
    return command


def copy_files(place, program):
    own = builder(place, program)
    return own.command("copy", "-q", own.text("from", "base"), content(place, "files"), "/files")


def commit(kind):
    def command(place, program):
        own = builder(place, program)
        container = own.text("from", "base")
        own.text("copy", "-q", container, content(place, kind), f"/{kind}")
        os.sync()
        return own.command("commit", "-q", container, f"with-{kind}")
    return command


def script(place, program):
    own = builder(place, program)
    place.env["RUNTIME"] = " ".join(own.runtime)
    return ["sh", "-c", SCRIPT, "sh", " ".join(own.argv), place.programs["busybox"], f"{place.folder}/runecho.sh"]


def run_bundle(*words):
    def command(place, program):
        bundle = os.path.join(place.folder, "bundle")
        if not os.path.exists(bundle):
            os.makedirs(f"{bundle}/rootfs/bin")
            shutil.copy(place.programs["busybox"], f"{bundle}/rootfs/bin/true")
            subprocess.run([place.programs["lade"], "runtime", "spec", "--bundle", bundle], check=True)
            with open(f"{bundle}/config.json") as file:
                config = json.load(file)
            config["process"].update(terminal=False, args=["/bin/true"])
            with open(f"{bundle}/config.json", "w") as file:
                json.dump(config, file)
        name = "lade-runtime" if program == "lade" and not words else program
        own_words = words if program == "lade" else ()
        return [place.programs[name], *own_words, "--root", f"{place.folder}/state-{program}", "run", "--bundle",
                bundle, f"bench-{program}"]
    return command


def done(place, stdout):
    return True


PRIVATE = "with a network of its own both start netavark, which takes most of the time"
CASES = [
    Case("runtime", "`lade-runtime run` of `true`", run_bundle(), done, [Target("wall", "crun", 1.0), *told("crun", "cpu", "peak")],
         peers=("crun",), short=True),
    Case("runtime-in-lade", "`lade runtime run` of `true`", run_bundle("runtime"), done, [Target("wall", "crun", 1.0), *told("crun", "cpu")],
         peers=("crun",), short=True),
    Case("from", "`buildah from`", from_image, done, [Target("wall", "buildah", 0.3), *told("buildah", "cpu")],
         peers=("buildah",), short=True),
    Case("run", "`buildah run --network none true`", run_true("--network", "none"), done,
         [Target("wall", "buildah", 0.15), *told("buildah", "cpu")], peers=("buildah",), short=True),
    Case("run-network", "`buildah run true`", run_true(), done, [Target("wall", "buildah", 0.15), *told("buildah", "cpu")],
         peers=("buildah",), notes=[PRIVATE]),
    Case("copy", f"`buildah copy` of {FILES:,} files", copy_files, done,
         [Target("wall", "buildah", 0.3), *told("buildah", "cpu")], peers=("buildah",), keeps_outcome=True),
    Case("commit-files", f"`buildah commit` of {FILES:,} files", commit("files"), done,
         [Target("wall", "buildah", 0.2), *told("buildah", "cpu")], peers=("buildah",), keeps_outcome=True),
    Case("commit-large", "`buildah commit` of 300 MB", commit("large"), done,
         [Target("wall", "buildah", 0.2), *told("buildah", "cpu")], peers=("buildah",), keeps_outcome=True),
    Case("script", "a script that builds from scratch", script, done,
         [Target("wall", "buildah", 0.25), *told("buildah", "cpu")], peers=("buildah",)),
]
