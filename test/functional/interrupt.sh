#!/bin/sh
# Signals, time limits and retries.
. "$(dirname "$0")/tap.sh"

make_image dir:image
mkfifo pipe
# A source that never comes: the copy waits until it is told to stop.
sleep 60 >pipe & writer=$!
# A shell starts what runs in the background with SIGINT ignored.
# shellcheck disable=SC2086
env --default-signal=INT $LADE copy tarball:pipe dir:copy >out 2>err & copy=$!
sleep 0.3
kill -INT $copy; wait $copy; status=$?
exits 130 "an interrupted copy exits 130"
holds "and leaves no image" test ! -e copy/manifest.json
run --command-timeout=300ms copy tarball:pipe dir:copy; exits 1 "--command-timeout ends a copy"
err_has 'context deadline exceeded' "and says so"
kill $writer
run copy --retry-times=2 --retry-delay=10ms docker://localhost:1/a dir:copy
err_has 'level=warning msg="Failed, retrying in 10ms ... (1/2). Error: ' "a failure that may pass is tried again"
err_has '(2/2). Error: ' "as often as it is asked for"
holds "and then it is one" grep -q 'level=fatal' err
run copy --retry-times=2 --retry-delay=10ms dir:nowhere dir:copy
holds "what cannot pass is not tried again" sh -c '! grep -q retrying err'
done_testing
