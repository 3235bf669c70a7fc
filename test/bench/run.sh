#!/bin/sh
# Measures lade beside skopeo and crane on this machine and prints a Markdown table of medians and ratios.
#
# usage: run.sh [CASE...]     without a case: all of them; run.sh --list prints their names
#
# Environment:
#   LADE             the program to measure            (default: build/tools/lade of this checkout)
#   SKOPEO, CRANE, PODMAN, BUILDAH, CRUN   the peers   (default: from PATH; empty: leave it out)
#   DOCKER_REGISTRY  the registry program              (default: docker-registry from PATH)
#   RUNS             measurements of each program      (default: 5; short cases take four times as many)
#   BENCH_DIR        where the work is done: about 4 GB on a real disk, and 1 GB for every filling of a store (default: $TMPDIR or /tmp)
#   BENCH_CACHE      a directory that keeps the image made for the benchmark (default: it is made anew)
#
# Cases of containers need root, and cgroups of version 2 where crun wants them.
# Debian's packages: skopeo crane podman buildah crun busybox-static docker-registry curl openssl python3 isal
set -eu
here=$(cd "$(dirname "$0")" && pwd)
LADE=${LADE:-$here/../../build/tools/lade}
export LADE
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/bench.py" "$@"
