#!/bin/sh
# A registry that lies, babbles or hangs: every command ends soon with exit 1 and one line of error, needs little
# memory, and leaves nothing at the destination. What each case does is in test/support/hostile_registry.py.
. "$(dirname "$0")/tap.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }

mkfifo hold ports
python3 "$here/../support/hostile_registry.py" "$work/elsewhere" <hold >ports & server=$!
exec 9>hold
read -r port other <ports

# A program with the address sanitizer reserves more address space than any limit that would mean something.
memory=1500000  # KiB
ldd "$program" 2>/dev/null | grep -qE 'libasan|libtsan' && memory=unlimited
nm -D "$program" 2>/dev/null | grep -qE '__asan_init|__tsan_init' && memory=unlimited

# limited SECONDS ARGUMENT...: as run, with limits of time and memory.
limited() {
  seconds=$1; shift
  status=0
  # shellcheck disable=SC2086
  (ulimit -v $memory; exec timeout -k 1 "$seconds" $LADE "$@") >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# What a failed copy has left at its destination. An OCI layout keeps blobs that are what their names say, so that
# the next attempt need not fetch them, and nothing that names them.
leftovers() {
  find dir -type f 2>/dev/null
  grep -s '"digest"' oci/index.json
  find oci -type f ! -name oci-layout ! -name index.json 2>/dev/null | while read -r file; do
    echo "${file##*/}  $file" | sha256sum --check --status 2>/dev/null || echo "$file"
  done
}

# refused SENTENCE: the last command failed as it should.
refused() {
  [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && ! LC_ALL=C grep -q '[[:cntrl:]]' "$work/err" &&
    [ -z "$(leftovers)" ]
  ok $? "$1"
  rm -rf oci dir
}

# fails CASE SENTENCE [OPTION...]: copies from the case to an OCI layout and to a directory.
fails() {
  case_=$1 sentence=$2; shift 2
  limited 60 copy --quiet --src-tls-verify=false "$@" "docker://127.0.0.1:$port/$case_:tag" oci:oci:tag
  refused "$sentence"
}

# inspect_fails CASE SENTENCE [OPTION...]
inspect_fails() {
  case_=$1 sentence=$2; shift 2
  limited 60 inspect --tls-verify=false "$@" "docker://127.0.0.1:$port/$case_:tag"
  refused "$sentence"
}

tags_fail() {
  limited 60 list-tags --tls-verify=false "docker://127.0.0.1:$port/$1"
  refused "$2"
}

limited 60 copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/good/x:tag" oci:good:tag
exits 0 "the registry is good when it is asked to be"

fails wrong-digest/x "a layer with other bytes"
fails wrong-config/x "a config with other bytes"
fails wrong-manifest/x "a manifest of an index with other bytes"
fails short-body/x "a layer that is too short"
fails long-body/x "a layer that is too long"
fails cut-body/x "a layer that is cut every time"
fails endless-body/x "a layer without end"
fails bad-chunks/x "a layer in malformed chunks"
fails endless-chunk-size/x "a chunk size without end"
fails two-lengths/x "a layer with two lengths"
limited 60 copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/wrong-digest/x:tag" dir:dir
refused "a layer with other bytes, to a directory"

fails endless-headers/x "headers without end"
fails endless-header/x "a header without end"
fails endless-status/x "a status line without end"
fails endless-continue/x "100 Continue without end"
fails not-http/x "an SSH server"
fails html/x "a page of HTML instead of a manifest"
fails not-json/x "a manifest that is not JSON"
fails deep-json/x "a manifest of a million brackets"
fails empty-manifest/x "a manifest of no bytes"
fails large-manifest/x "a manifest of 5 MiB"
fails endless-manifest/x "a manifest without end"
fails evil-digest/x "a layer whose digest is a path"
fails negative-size/x "a layer of negative size"
fails huge-size/x "a layer of 4 EiB"
fails huge-config/x "a config of 1 TiB"
fails self-index/x "an index that names itself"
inspect_fails html/x "inspect: a page of HTML"
inspect_fails huge-config/x "inspect: a config of 1 TiB"
inspect_fails endless-tag-page/x "inspect: a list of tags without end"

fails gzip-bomb/manifests "a manifest that is a gzip bomb"
tags_fail gzip-bomb/tags "a list of tags that is a gzip bomb"
fails gzip-bomb/blobs "blobs that are gzip bombs by their Content-Encoding"
tags_fail endless-tags/x "pages of tags without end"
tags_fail same-tags/x "a page of tags that follows itself"
tags_fail endless-tag-page/x "a page of tags without end"
tags_fail html/x "a page of HTML instead of tags"

fails redirect-loop/x "a blob that redirects to itself"
fails redirect-manifest/x "a manifest that redirects to itself"
fails redirect-scheme/x "a redirect to a file"
fails redirect-nowhere/x "a redirect to nowhere"
limited 60 copy --quiet --src-tls-verify=false --src-creds=ann:secret "docker://127.0.0.1:$port/redirect-other/x:tag" oci:other:tag
exits 0 "a blob may be on another host"
holds "which does not get the password" test ! -s elsewhere

fails basic-loop/x "a password that is never right" --src-creds=ann:secret
fails basic-loop/x "a password that nobody has"
fails bearer/bad "a token that is never right"
fails bearer/html "a token server that sends HTML"
fails bearer/empty "a token server without tokens"
fails bearer/loop "a token server that wants a token"
fails bearer/redirect "a token server that redirects to itself"
fails bearer/endless "a token without end"
fails bearer/bomb "a token that is a gzip bomb"
fails bearer/newline "a token with a header in it"
fails bearer-elsewhere/x "a token server that is a file"
fails challenge-flood/x "a challenge of 60 parameters"
fails endless-error/x "an error without end"
fails control-error/x "an error that moves the cursor"
fails server-error/x "a server that fails every time"

# Every connection ends at the same byte of its first answer: all at once, as each is tried several times.
cuts="0 1 9 16 40 100 200 400"
for cut in $cuts; do
  # shellcheck disable=SC2086
  (ulimit -v $memory; exec timeout -k 1 60 $LADE copy --quiet --src-tls-verify=false \
    "docker://127.0.0.1:$port/close-at/$cut:tag" "oci:cut$cut:tag") >out 2>"err$cut" </dev/null &
  eval "pid$cut=$!"
done
for cut in $cuts; do
  status=0; eval "wait \$pid$cut" || status=$?
  cp "err$cut" err
  [ ! -e "cut$cut" ] || mv "cut$cut" oci
  refused "a connection that ends at byte $cut"
done

limit=--command-timeout=1s
limited 20 $limit copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/retry-after/x:tag" oci:oci:tag
refused "a server that says to come back in 30 years, until the time limit"
limited 20 $limit copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/silent/x:tag" oci:oci:tag
refused "a server that says nothing, until the time limit"
limited 20 $limit copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/slow-head/x:tag" oci:oci:tag
refused "a head that trickles, until the time limit"
limited 20 $limit copy --quiet --src-tls-verify=false "docker://127.0.0.1:$port/slow-body/x:tag" oci:oci:tag
refused "a body that trickles, until the time limit"

exec 9>&-
done_testing
