"""A client of `lade experimental-image-proxy`: opens an image, reads everything of it, prints TAP.

Usage: image_proxy.py IMAGE MISSING REJECTED; $LADE is the program, maybe with arguments.
"""
import hashlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading

MAX_MESSAGE = 32 * 1024
number = 0
failures = 0


def check(passed, sentence):
    global number, failures
    number += 1
    failures += not passed
    print(f"{'ok' if passed else 'not ok'} {number} - {sentence}")


class Proxy:
    def __init__(self, *options):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = shlex.split(os.environ["LADE"]) + [*options, "experimental-image-proxy", "--sockfd", str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.socket = ours

    def call(self, method, *arguments):
        """-> (reply, descriptors)"""
        self.socket.send(json.dumps({"method": method, "args": list(arguments)}).encode())
        text, descriptors, _, _ = socket.recv_fds(self.socket, MAX_MESSAGE, 2)
        return json.loads(text), descriptors

    def value(self, method, *arguments):
        reply, descriptors = self.call(method, *arguments)
        assert reply["success"] and not descriptors, reply
        return reply["value"]

    def fetch(self, method, *arguments):
        """-> (value, bytes)"""
        reply, (descriptor,) = self.call(method, *arguments)
        assert reply["success"], reply
        result = []
        reader = threading.Thread(target=lambda: result.append(open(descriptor, "rb").read()))
        reader.start()
        self.value("FinishPipe", reply["pipeid"])
        reader.join()
        return reply["value"], result[0]

    def end(self):
        self.socket.send(json.dumps({"method": "Shutdown", "args": []}).encode())
        return self.process.wait(10)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def main(image, missing, rejected):
    proxy = Proxy()
    check(proxy.value("Initialize") == "0.2.8", "the version of the protocol is told")
    opened = proxy.value("OpenImage", image)
    check(opened > 0, "an image is opened")
    check(proxy.value("OpenImageOptional", missing) == 0, "one that is not there is zero")
    check(not proxy.call("OpenImage", missing)[0]["success"], "or an error")
    digest, manifest = proxy.fetch("GetManifest", opened)
    check(sha256(manifest) == digest, "the manifest has the digest that is told")
    config = json.loads(proxy.fetch("GetFullConfig", opened)[1])
    check(config["os"] == "linux", "the config is there")
    check(json.loads(proxy.fetch("GetConfig", opened)[1]) == config.get("config", {}), "and a part of it")
    layers = json.loads(proxy.fetch("GetLayerInfoPiped", opened)[1])
    check(layers == proxy.value("GetLayerInfo", opened), "layers are told in two ways")
    for layer in layers:
        size, data = proxy.fetch("GetBlob", opened, layer["digest"], layer["size"])
        check(size == len(data) and sha256(data) == layer["digest"], "a layer is fetched")
        reply, (bytes_end, error_end) = proxy.call("GetRawBlob", opened, layer["digest"])
        check(open(bytes_end, "rb").read() == data, "raw as well")
        check(open(error_end, "rb").read() == b"", "without an error")
    check(proxy.value("CloseImage", opened) is None, "the image is closed")
    check(proxy.end() == 0, "and the proxy ended")

    proxy = Proxy("--policy", rejected)
    proxy.value("Initialize")
    reply, _ = proxy.call("OpenImage", image)
    check("Source image rejected" in reply["error"], "the policy is enforced")
    proxy.socket.close()
    check(proxy.process.wait(10) == 0, "a client that goes away ends the proxy")
    print(f"1..{number}")
    return failures != 0


sys.exit(main(*sys.argv[1:]))
