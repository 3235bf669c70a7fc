#!/bin/sh
# What `meson install` puts where. $BUILD: the build directory.
: "${BUILD:?the build directory}"
BUILD=$(cd "$BUILD" && pwd)
. "$(dirname "$0")/tap.sh"

command -v meson >/dev/null || { echo "1..0 # SKIP meson is not installed"; exit 0; }
status=0
meson install -C "$BUILD" --no-rebuild --quiet --destdir "$work/root" >out 2>err || status=$?
exits 0 "meson install works with a DESTDIR"
(cd root && find . ! -type d) >files
program=$(grep '/bin/lade$' files)
holds "the program is installed" test -x "root/$program"
prefix=${program%/bin/lade}
holds "nothing is outside of the prefix" sh -c "! grep -qv '^$prefix/' files"

link=$(grep '/libexec/lade/bin/skopeo$' files)
holds "a link for a PATH with skopeo in it" test "$(readlink "root/$link")" = "${program#.}"
holds "nothing else is called skopeo" test "$(grep -c '/skopeo$' files)" = 1
mkdir links
ln -s "$work/root/$program" links/skopeo
links/skopeo --version >out
holds "the installed program answers to that name" grep -q '^skopeo version ' out

for file in bash-completion/completions/lade.bash zsh/site-functions/_lade fish/vendor_completions.d/lade.fish; do
  holds "${file##*/} is installed" grep -q "__complete" "root/$prefix/share/$file"
done
if command -v scdoc >/dev/null; then
  for source in "$here"/../../man/*.scd; do
    page=root/$prefix/share/man/man1/$(basename "$source" .scd)
    holds "$(basename "$page") is installed" test -s "$page"
    command -v groff >/dev/null || continue
    groff -t -man -Tutf8 -K utf8 -ww "$page" >/dev/null 2>err
    silent err "and renders without a warning"
  done
fi
done_testing
