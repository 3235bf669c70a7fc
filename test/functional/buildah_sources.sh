#!/bin/sh
# What working containers are made of: files of web servers, git repositories, archives; ONBUILD, --change.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
command -v python3 >/dev/null || { echo "1..0 # SKIP needs python3 for a web server"; exit 0; }
b() { run buildah --root "$work/root" --runroot "$work/runroot" --storage-driver vfs "$@"; }

mkdir www; echo content >www/file; touch -d @86400 www/file
python3 - "$work/port" "$work/www" <<'PYTHON' &
import functools, http.server, os, subprocess, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        if not self.path.startswith("/repo.git/"): return super().do_GET()
        path, _, query = self.path.partition("?")
        names = {"Content-Type": "CONTENT_TYPE", "Content-Encoding": "HTTP_CONTENT_ENCODING", "Git-Protocol": "GIT_PROTOCOL"}
        env = {**os.environ, **{to: self.headers[name] for name, to in names.items() if self.headers[name]},
               "GIT_PROJECT_ROOT": sys.argv[2], "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command,
               "PATH_INFO": path, "QUERY_STRING": query}
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        head, _, body = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True).stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        self.send_response(int(dict(fields).get("Status", "200").split()[0]))
        for field in fields: self.send_header(*field)
        self.end_headers(); self.wfile.write(body)
    do_POST = do_GET
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[2]))
open(sys.argv[1] + ".new", "w").write(str(server.server_port)); os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PYTHON
server=$!
tries=0; until [ -s port ] || [ $tries -gt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
web=http://127.0.0.1:$(cat port)

b from --name c scratch; b mount c; files=$(cat out)
b add c "$web/file" /; exits 0 "a file of a web server is added"; out_lacks : "with a digest that has no kind"
holds "as it is there" test "$(cat "$files/file")" = content
holds "closed to others, with the server's time" test "$(stat -c %a:%u:%Y "$files/file")" = 600:0:86400
b add --chmod 644 --chown 5:6 --timestamp 7 c "$web/file" /named
holds "or as one likes" test "$(stat -c %a:%u:%g:%Y "$files/named")" = 644:5:6:7
b add --checksum "sha256:$(sha256sum <www/file | cut -d ' ' -f 1)" --quiet c "$web/file" /checked; exits 0 "a checksum may agree"
silent out "quietly"
b add --checksum "sha256:$(printf %064d 0)" c "$web/file" /unchecked; exits 125 "or not"
err_has "unexpected response digest for \"$web/file\": sha256:" "which is said"
holds "and nothing is there then" test ! -e "$files/unchecked"
b add --checksum "sha256:$(printf %064d 0)" c www/file /; err_has 'checksum flag is not supported for local sources' "it is for downloads"
b add c "$web/" /; err_has 'has no name of a file' "a name is wanted"
b add --retry 0 c "$web/nosuch" /; exits 125 "what is not there is an error"; err_has "reading \"$web/nosuch\"" "that names it"

if command -v git >/dev/null; then
  export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
  git init -q -b main source; mkdir source/sub; echo one >source/sub/one; echo top >source/top
  git -C source add . ; git -C source commit -q -m first; git -C source branch side
  git clone -q --bare source www/repo.git
  b copy c "$web/repo.git#side:sub" /git/; exits 0 "a directory of a branch is copied"
  holds "what is in it" test "$(ls "$files/git")" = one
  b copy --checksum "sha256:$(printf %064d 0)" c "$web/repo.git" /git2/; exits 125 "copy has no checksums"
  b add --checksum "sha256:$(printf %064d 0)" c "$web/repo.git" /git2/; err_has 'not supported for git repositories' "nor have repositories"
  b add --retry 0 c "$web/repo.git#nosuch" /git2/; err_has 'failed while performing `git fetch`' "a branch has to be there"
fi

b from --format docker --name trigger scratch
for instruction in 'COPY www/file /from/' 'ENV A="x y"' 'LABEL l=$A' 'WORKDIR /from' 'FROB x'; do b config --onbuild "$instruction" trigger; done
b commit --format docker trigger trigger-image
b from --name built trigger-image; exits 0 "ONBUILD instructions are run"
err_has 'STEP 1: COPY www/file /from/' "as one sees"; err_has 'unknown OnBuild command' "unknown ones are told of"
b mount built; holds "files are copied" test "$(cat "$(cat out)/from/file")" = content
b inspect --format '{{.Docker.Config.Env}} {{.OCIv1.Config.Labels}} {{.OCIv1.Config.WorkingDir}} {{len .Docker.Config.OnBuild}}' built
out_has '[A=x y] map[' "variables are set"; out_has 'l:x y] /from 0' "and used, once"
b config --onbuild 'COPY nosuch /' trigger; b commit --format docker trigger trigger-image
b from --name unbuilt trigger-image; exits 125 "one that fails is an error"; b containers -q --filter name=unbuilt; silent out "and no container is left"

b commit --change 'CMD ["/x"]' -c 'ENV B=1' -c 'ENV C=$B' c changed; exits 0 "an image can be changed while it is made"
b inspect --format '{{.OCIv1.Config.Cmd}} {{.OCIv1.Config.Env}}' changed; out_has '[/x] [B=1 C=1]' "as it says"
b inspect --format '{{.OCIv1.Config.Cmd}}' c; out_has '[]' "the container is not"
b commit --change 'RUN x' c; err_has 'the instruction RUN cannot change an image' "some cannot"

b push -D --quiet changed oci:plain; holds "layers can stay as they are" grep -q 'layer.v1.tar"' plain/blobs/sha256/*
b push --quiet changed docker-archive:named.tar; b rmi --all --force
b from --quiet docker-archive:named.tar; out_is 'changed-working-container' "an archive keeps the image's name"
b from "sha256:$(printf %064d 0)"; err_has 'image not known' "an ID is here or nowhere"
b push --authfile nosuch changed oci:plain; err_has 'credential file is not accessible' "a file of credentials has to be there"
export BUILD_REGISTRY_SOURCES='{"blockedRegistries":["r.example"]}'
b push changed docker://r.example/x; err_has 'registry "r.example" denied by policy' "registries can be blocked"
b commit changed-working-container docker://r.example/x; err_has 'commit to registry at "r.example" denied by policy' "for images that are made too"
done_testing
