#!/bin/sh
# Signals, time limits and retries.
. "$(dirname "$0")/tap.sh"

make_image dir:image
# A registry that takes connections and never answers.
python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(60)' \
  >port & server=$!
while [ ! -s port ]; do sleep 0.05; done
image=docker://127.0.0.1:$(cat port)/app

for signal in INT TERM; do
  # A shell starts what runs in the background with SIGINT ignored.
  # shellcheck disable=SC2086
  env --default-signal=INT $LADE copy "$image" dir:copy >out 2>err & copy=$!
  sleep 0.3
  kill -$signal $copy; wait $copy; status=$?
  case $signal in INT) exits 130 "an interrupted copy exits 130" ;; *) exits 143 "a terminated one 143" ;; esac
  holds "and leaves no image" test ! -e copy/manifest.json
done
run --command-timeout=300ms copy "$image" dir:copy; exits 1 "--command-timeout ends a copy"
err_has 'context deadline exceeded' "and says so"
run copy --retry-times=2 --retry-delay=10ms docker://localhost:1/a dir:copy
err_has 'level=warning msg="Failed, retrying in 10ms ... (1/2). Error: ' "a failure that may pass is tried again"
err_has '(2/2). Error: ' "as often as it is asked for"
holds "and then it is one" grep -q 'level=fatal' err
run copy --retry-times=2 --retry-delay=10ms dir:nowhere dir:copy
holds "what cannot pass is not tried again" sh -c '! grep -q retrying err'
done_testing
