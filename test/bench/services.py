"""The registries and proxies of the benchmark, all on loopback, and what is put into them."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time

CONFIG = """version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: "%s"}}
http: {addr: "127.0.0.1:%d"%s}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A child process that listens on a port."""

    def __init__(self, argv, port, log):
        self.port = port
        self.host = f"127.0.0.1:{port}"
        with open(log, "ab") as output:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.wait_until_ready(log)

    def wait_until_ready(self, log):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.stop()
        with open(log, errors="replace") as text:
            raise SystemExit(f"{self.process.args[0]} did not start: {text.read()[-1000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Registry(Service):
    def __init__(self, program, folder, storage=None, tls=None):
        """`storage` defaults to a new one in `folder`; `tls` is a pair of certificate and key files."""
        os.makedirs(folder, exist_ok=True)
        self.storage = storage or os.path.join(folder, "storage")
        port = free_port()
        secure = ', tls: {certificate: "%s", key: "%s"}' % tls if tls else ""
        config = os.path.join(folder, "config.yml")
        with open(config, "w") as file:
            file.write(CONFIG % (self.storage, port, secure))
        super().__init__([program, "serve", config], port, os.path.join(folder, "log"))

    def empty(self):
        shutil.rmtree(self.storage, ignore_errors=True)

    def request(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection(self.host)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            reply.read()
            return reply
        finally:
            connection.close()

    def put(self, path, body, headers):
        reply = self.request("PUT", path, body, headers)
        if reply.status != 201:
            raise SystemExit(f"the registry answered {reply.status} to PUT {path}")

    def has_manifest(self, repository, digest, media_type):
        path = f"/v2/{repository}/manifests/{digest}"
        return self.request("HEAD", path, headers={"Accept": media_type}).status == 200

    def blob_size(self, repository, tag):
        """Of the first layer."""
        connection = http.client.HTTPConnection(self.host)
        try:
            accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
            connection.request("GET", f"/v2/{repository}/manifests/{tag}", headers=accept)
            return json.loads(connection.getresponse().read())["layers"][0]["size"]
        finally:
            connection.close()

    def push(self, repository, tag, layout, media_type):
        for blob in layout.blobs:
            where = self.request("POST", f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]
            target = where.split(self.host, 1)[-1] + "&digest=" + blob["digest"]
            with open(layout.blob(blob["digest"]), "rb") as file:
                self.put(target, file, {"Content-Length": str(blob["size"])})
        self.put(f"/v2/{repository}/manifests/{tag}", layout.manifest_bytes, {"Content-Type": media_type})

    def multiply_tag(self, repository, tag, names):
        # Written straight into the storage: ten thousand PUTs would take longer than the rest of the benchmark.
        tags = os.path.join(self.storage, "docker/registry/v2/repositories", repository, "_manifests/tags")
        with open(os.path.join(tags, tag, "current/link"), "rb") as file:
            link = file.read()
        for name in names:
            os.makedirs(os.path.join(tags, name, "current"))
            with open(os.path.join(tags, name, "current/link"), "wb") as file:
                file.write(link)


class Proxy(Service):
    def __init__(self, target, log, *options):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/slow_proxy.py")
        port = free_port()
        super().__init__([sys.executable, script, str(port), str(target.port), *options], port, log)


def make_certificate(folder):
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return certificate, key
