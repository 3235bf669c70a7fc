# Sourced: `install_packages build`, `install_packages build test` bring what is missing, asking nothing.
# On Debian and Ubuntu by apt-get, on Fedora by dnf; elsewhere the list is printed.

debian_build='g++ meson ninja-build pkgconf python3 libcpp-httplib-dev libssl-dev nlohmann-json3-dev
  libcxxopts-dev zlib1g-dev libisal-dev libdeflate-dev libzstd-dev liblzma-dev libbz2-dev libarchive-dev libtomlplusplus-dev
  libfmt-dev libre2-dev libyaml-cpp-dev libsqlite3-dev libgpgme-dev libseccomp-dev
  libsquashfs-dev doctest-dev scdoc ca-certificates'
debian_demo='busybox-static apache2-utils openssl'
debian_test='busybox-static apache2-utils openssl docker-registry skopeo jq xz-utils bzip2 zstd curl man-db squashfs-tools gnupg xfsprogs'

fedora_build='gcc-c++ meson ninja-build pkgconf python3 cpp-httplib-devel openssl-devel json-devel
  cxxopts-devel zlib-devel isa-l-devel libdeflate-devel libzstd-devel xz-devel bzip2-devel libarchive-devel tomlplusplus-devel
  fmt-devel re2-devel yaml-cpp-devel sqlite-devel gpgme-devel libseccomp-devel
  squashfs-tools-ng-devel doctest-devel scdoc ca-certificates'
fedora_demo='busybox httpd-tools openssl'
fedora_test='busybox httpd-tools openssl docker-distribution skopeo jq xz bzip2 zstd curl man-db squashfs-tools gnupg2 xfsprogs'

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

packages_of() { # distribution group...
  distribution=$1; shift
  for group in "$@"; do eval "printf '%s ' \$${distribution}_$group"; done
}

install_on_debian() {
  missing=
  for package in $(packages_of debian "$@"); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  echo "Installing:$missing"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

install_on_fedora() {
  missing=
  for package in $(packages_of fedora "$@"); do
    rpm -q "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  echo "Installing:$missing"
  as_root dnf install -y -q $missing >/dev/null
}

install_packages() {
  if command -v apt-get >/dev/null; then
    install_on_debian "$@"
  elif command -v dnf >/dev/null; then
    install_on_fedora "$@"
  else
    echo "Neither apt-get nor dnf is here. Install what corresponds to these Debian packages, then run this again:"
    packages_of debian "$@" | fold -s -w 100
    echo
    command -v meson >/dev/null
  fi
}
