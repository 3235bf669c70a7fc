"""The cases of the benchmark: what each program is told to do, how the outcome is checked, and the targets."""
import json
import os
import subprocess

from case import Case, Target, told
from images import FILE_COUNTS, MANIFEST_TYPE, MB
from workplace import STORED_IMAGES, TAGS, store_at

MEMORY_LIMIT = 64  # MiB, whatever the size of the image
EDITION_BLOB_SHARE = 0.1  # of the compressed layer, where a twentieth of its files has changed
EDITION_NOTES = ["the second edition differs from the first, which the store has, in every twentieth file; zstd:chunked"]
PARTIAL_PULLS = """[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
[storage.options.overlay]
skip_mount_home = "true"
[storage.options.pull_options]
enable_partial_images = "true"
"""
HASHERS = {"curl+sha256sum": "sha256sum", "curl+openssl": "openssl dgst -sha256"}


def skopeo_like(place, program, command, *arguments):
    return [place.programs[program], "--insecure-policy", command, *arguments]


def copy(place, program, source, destination):
    flags = [flag for name, flag in ((source, "--src-tls-verify=false"), (destination, "--dest-tls-verify=false"))
             if name.startswith("docker://")]
    return skopeo_like(place, program, "copy", *flags, source, destination)


def crane(place, *arguments):
    return [place.programs["crane"], "--insecure", *arguments]


def pull(image, host):
    """The command that copies `image` from a registry (a function of the workplace) to an OCI layout."""
    def command(place, program):
        source = f"{host(place)}/{image}:latest"
        if program == "crane":
            return crane(place, "pull", "--format=oci", source, place.out)
        if program.startswith("curl+"):
            return curl(place, host(place), image, HASHERS[program])
        return copy(place, program, "docker://" + source, f"oci:{place.out}:latest")
    return command


def curl(place, host, image, hasher):
    lines = [f'mkdir -p "{place.out}"']
    for blob in place.layout(image).blobs:
        url = f"http://{host}/v2/{image}/blobs/{blob['digest']}"
        lines.append(f'"{place.programs["curl"]}" -sSf "{url}" | tee "{place.out}/{blob["digest"][7:]}" | {hasher}')
    return ["sh", "-c", " && ".join(lines)]


def layout_has(image):
    def check(place, stdout):
        for blob in place.layout(image).blobs:
            name = blob["digest"][7:]
            paths = (os.path.join(place.out, "blobs/sha256", name), os.path.join(place.out, name))
            if not any(os.path.exists(path) and os.path.getsize(path) == blob["size"] for path in paths):
                return False
        return True
    return check


def pull_to_store(place, program):
    source = f"{place.source.host}/big:latest"
    if program == "igzip+tar":
        return unpack_layers(place, source)
    return copy(place, program, "docker://" + source, store_at(place.out))


def unpack_layers(place, source):
    """The layers of the layout, which nobody has to receive, verify or record: two at a time."""
    lines = []
    for number, blob in enumerate(place.layout("big").layers):
        path = place.layout("big").blob(blob["digest"])
        lines.append(f'mkdir -p "{place.out}/{number}" && igzip -dc "{path}" | tar -x -C "{place.out}/{number}"')
    return ["sh", "-c", "printf '%s\\0' \"$@\" | xargs -0 -n 1 -P 2 sh -c", "sh", *lines]


def layout_to_store(image):
    def command(place, program):
        return copy(place, program, "oci:" + place.layout(image).path, store_at(place.out))
    return command


def list_images(place, program):
    grammar = ["podman"] if program == "lade" else []
    folders = ["--root", f"{place.crowded_store}/root", "--runroot", f"{place.crowded_store}/run"]
    return [place.programs[program], *grammar, *folders, "--storage-driver", "overlay", "images"]


def lists_all_images(place, stdout):
    return stdout.count("localhost/image") == STORED_IMAGES


def sync(place, program):
    flags = ["--src", "docker", "--dest", "docker", "--src-tls-verify=false", "--dest-tls-verify=false"]
    return skopeo_like(place, program, "sync", *flags, f"{place.far_mirror_source.host}/many",
                       f"{place.far_target.host}/mirror")


def sync_again(place, program):
    subprocess.run(sync(place, program), env=place.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return sync(place, program)


def target_is_mirror(place, stdout):
    return all(place.target.has_manifest("mirror/many", f"tag-{number:03}", MANIFEST_TYPE)
               for number in range(STORED_IMAGES))


def store_has_image(place, stdout):
    if os.path.isdir(os.path.join(place.out, "0")):
        return all(os.listdir(os.path.join(place.out, name)) for name in os.listdir(place.out))
    with open(os.path.join(place.out, "root/overlay-images/images.json")) as records:
        return "localhost/big:latest" in json.load(records)[0]["names"]


def pull_edition(place, program, number):
    configuration = os.path.join(place.out, program, "storage.conf")
    return ["env", f"CONTAINERS_STORAGE_CONF={configuration}", *skopeo_like(
        place, program, "copy", "--src-tls-verify=false", f"docker://{place.editions.host}/edition:{number}",
        f"containers-storage:localhost/edition:{number}")]


def pull_second_edition(place, program):
    folder = os.path.join(place.out, program)
    os.makedirs(folder)
    with open(os.path.join(folder, "storage.conf"), "w") as file:
        file.write(PARTIAL_PULLS.format(folder=folder))
    subprocess.run(pull_edition(place, program, 1), env=place.env, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    place.program, place.handed_on = program, place.bytes_of_editions()
    return pull_edition(place, program, 2)


def store_has_second_edition(place, stdout):
    """Of its layer, lade may fetch a tenth."""
    handed_on = place.bytes_of_editions() - place.handed_on
    with open(os.path.join(place.out, place.program, "root/overlay-layers/layers.json")) as file:
        records = json.load(file)
    size = place.edition_source.blob_size("edition", "2")
    share = f"{place.program} fetched {handed_on / MB:.1f} MB of the second edition's layer of {size / MB:.1f} MB"
    if share not in EDITION_NOTES:
        EDITION_NOTES.append(share)
    return len(records) == 2 and (place.program != "lade" or handed_on <= EDITION_BLOB_SHARE * size)


def store_to_layout(place, program):
    return copy(place, program, store_at(place.store), f"oci:{place.out}:latest")


def layout_is_written(place, stdout):
    return os.path.exists(os.path.join(place.out, "index.json"))


def store_to_store(place, program):
    return copy(place, program, store_at(place.store), store_at(place.out))


def push_registry(place, program):
    source, target = f"{place.source.host}/big:latest", f"{place.target.host}/big:latest"
    if program == "crane":
        return crane(place, "copy", source, target)
    return copy(place, program, "docker://" + source, "docker://" + target)


def push_directory(place, program):
    target = f"{place.target.host}/big:latest"
    if program == "crane":
        return crane(place, "push", place.layout("big").path, target)
    return copy(place, program, "dir:" + place.directory, "docker://" + target)


def target_has_image(place, stdout):
    return place.target.has_manifest("big", place.layout("big").manifest_digest, MANIFEST_TYPE)


def inspect(host, *flags):
    def command(place, program):
        if program == "crane":
            return None
        image = f"docker://{host(place)}/ten:latest"
        return skopeo_like(place, program, "inspect", "--tls-verify=false", *flags, image)
    return command


def shows_image(place, stdout):
    return json.loads(stdout)["Digest"] == place.layout("ten").manifest_digest


def list_tags(place, program):
    if program == "crane":
        return crane(place, "ls", f"{place.source.host}/tags")
    return skopeo_like(place, program, "list-tags", "--tls-verify=false", f"docker://{place.source.host}/tags")


def lists_all_tags(place, stdout):
    return stdout.count("tag-") == TAGS - 1


def version(place, program):
    return [place.programs[program], "version" if program == "crane" else "--version"]


def near(place):
    return place.source.host


def far(place):
    return place.far.host


def secure_far(place):
    return place.secure_far.host


def narrow(place):
    return place.narrow.host


NO_INSPECT = "crane has no `inspect`"
NO_DIR = "crane has no `dir:`; it pushes an OCI layout there, without reading what it pushes"
CURL = ("the other program is `curl | tee FILE | sha256sum`, then the same with `openssl dgst -sha256`, which is "
        "faster; one blob after the other")
FAR = "the registry 50 ms away speaks plain HTTP, which skopeo tries after https has failed; with TLS it need not"
STORE = ("`igzip -dc | tar -x` unpacks the layers of a layout, two at a time; it receives, verifies and records nothing")
NARROW = "the 300 MB layer is copied 3 times at most: most of the time is the proxy's"


PEAK = Target("peak", "skopeo", 0.5)
CASES = [
    Case("registry-oci", "registry → OCI layout", pull("big", near), layout_has("big"),
         [Target("wall", "best", 0.9), Target("wall", "curl+sha256sum", 1.3), *told("curl+openssl", "wall"),
          Target("cpu", "best", 0.75), PEAK],
         peers=("skopeo", "crane", *HASHERS), notes=[CURL]),
    Case("registry-registry", "registry → registry", push_registry, target_has_image,
         [*told("best", "wall", "cpu"), PEAK], needs_target=True),
    Case("dir-registry", "`dir:` → registry", push_directory, target_has_image,
         [Target("wall", "skopeo", 0.7), *told("skopeo", "cpu"), PEAK], needs_target=True, notes=[NO_DIR]),
    Case("registry-store", "registry → store", pull_to_store, store_has_image,
         [Target("wall", "skopeo", 0.35), Target("wall", "igzip+tar", 1.15), Target("cpu", "skopeo", 0.4), PEAK],
         peers=("skopeo", "igzip+tar"), keeps_outcome=True, notes=[STORE]),
    Case("second-edition", "10 MB/s a connection: second edition → store", pull_second_edition,
         store_has_second_edition, told("skopeo", "wall", "cpu", "peak"), peers=("skopeo",), keeps_outcome=True,
         most_runs=3, notes=EDITION_NOTES),
    Case("store-oci", "store → OCI layout", store_to_layout, layout_is_written,
         [Target("wall", "skopeo", 0.6), *told("skopeo", "cpu"), PEAK], peers=("skopeo",)),
    Case("store-store", "store → store", store_to_store, store_has_image,
         [Target("wall", "skopeo", 0.35), *told("skopeo", "cpu"), PEAK], peers=("skopeo",), keeps_outcome=True),
    Case("huge-store", "OCI layout of 5 GB → store", layout_to_store("huge"), store_has_image,
         [*told("skopeo", "wall", "cpu"), PEAK], peers=("skopeo",), most_runs=1),
    *(Case(f"files-{count}", f"OCI layout of {count:,} files → store", layout_to_store(f"files-{count}"),
           store_has_image, told("skopeo", "wall", "cpu", "peak"), peers=("skopeo",), keeps_outcome=True)
      for count in FILE_COUNTS),
    Case("images", f"`podman images` of {STORED_IMAGES}", list_images, lists_all_images,
         [Target("wall", "podman", 0.3), *told("podman", "cpu", "peak")], peers=("podman",), short=True),
    Case("inspect", "inspect", inspect(near), shows_image,
         [Target("wall", "skopeo", 0.6), *told("skopeo", "cpu"), PEAK], short=True, notes=[NO_INSPECT]),
    Case("list-tags", f"list-tags of {TAGS:,} tags", list_tags, lists_all_tags,
         [*told("best", "wall", "cpu"), PEAK], short=True),
    Case("version", "`--version`", version, lambda place, stdout: True,
         told("best", "wall", "cpu", "peak"), short=True),
    Case("far-inspect-no-tags", "50 ms away: inspect --no-tags", inspect(far, "--no-tags"), shows_image,
         [Target("wall", "skopeo", 0.45)], notes=[NO_INSPECT, FAR]),
    Case("far-inspect", "50 ms away: inspect", inspect(far), shows_image,
         [Target("wall", "skopeo", 0.4)], notes=[NO_INSPECT, FAR]),
    Case("far-copy", "50 ms away: ten-layer copy", pull("ten", far), layout_has("ten"),
         [Target("wall", "skopeo", 0.6)], notes=[FAR]),
    Case("far-tls-inspect-no-tags", "50 ms away, TLS: inspect --no-tags", inspect(secure_far, "--no-tags"),
         shows_image, told("skopeo", "wall"), notes=[NO_INSPECT]),
    Case("far-tls-inspect", "50 ms away, TLS: inspect", inspect(secure_far), shows_image,
         told("skopeo", "wall"), notes=[NO_INSPECT]),
    Case("far-tls-copy", "50 ms away, TLS: ten-layer copy", pull("ten", secure_far), layout_has("ten"),
         told("skopeo", "wall")),
    Case("sync", f"10 ms away: sync of {STORED_IMAGES} small images", sync, target_is_mirror,
         [Target("wall", "skopeo", 0.25), *told("skopeo", "cpu"), PEAK], peers=("skopeo",), needs_target=True, most_runs=3),
    Case("sync-again", f"10 ms away: sync of {STORED_IMAGES} unchanged images", sync_again, target_is_mirror,
         [Target("wall", "skopeo", 0.1), *told("skopeo", "cpu"), PEAK], peers=("skopeo",), needs_target=True, most_runs=3),
    Case("narrow-layer", "10 MB/s a connection: one 300 MB layer", pull("layer", narrow), layout_has("layer"),
         [Target("wall", "skopeo", 0.35), PEAK], most_runs=3, notes=[NARROW]),
]
