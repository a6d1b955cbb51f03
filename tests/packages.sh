#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs the Debian packages that the demo or the tests need and that are
# missing: sh tests/packages.sh [demo|check|check-all|deb]. Starts no service; is quick and
# silent when nothing is missing.
set -eu

build='gcc libc6-dev make pkg-config libssl-dev libdb5.3-dev'
demo='cyrus-imapd cyrus-common cyrus-clients slapd libsasl2-2 libsasl2-modules libsasl2-modules-ldap util-linux mount'
check='ldap-utils sasl2-bin libsasl2-dev libsasl2-modules-db memcached valgrind abigail-tools binutils openssl g++ procps strace sqlite3 libsqlite3-0 libpq5 libmariadb3 krb5-kdc krb5-admin-server krb5-user libgsasl-dev mandoc'
consumers='subversion lua5.4 lua-cyrussasl libauthen-sasl-cyrus-perl python3-ldap isync nmh kcat libmemcached-tools python3-pylibmc cyrus-pop3d'
all='postgresql mariadb-server'
deb='debhelper dpkg-dev lintian debootstrap util-linux mount'

case ${1:-check} in
  demo) wanted="$build $demo" ;;
  check) wanted="$build $demo $check $consumers" ;;
  check-all) wanted="$build $demo $check $consumers $all" ;;
  deb) wanted="$build $deb" ;;
  *) echo "usage: sh tests/packages.sh [demo|check|check-all|deb]" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "missing packages; as root: apt-get install$missing" >&2
  exit 1
fi
echo "installing:$missing"

# The servers are started by the tests only, on ports of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update < /dev/null
# shellcheck disable=SC2086
apt-get -qy install --no-install-recommends $missing < /dev/null
