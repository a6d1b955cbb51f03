# SPDX-License-Identifier: MIT OR Apache-2.0
# What the tests share: scratch servers of the packages that are installed, on
# free ports of 127.0.0.1, and logins. Read by bash: source lib.bash

set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
tmp=${AUTOPKGTEST_TMP:?}
chmod 755 "$tmp"
triplet=$(dpkg --print-architecture | sed 's/amd64/x86_64-linux-gnu/')
stock=/usr/lib/$triplet/libsasl2.so.2.0.25
ours=/usr/lib/$triplet/oxisasl/libsasl2.so.2
smtptest=/usr/lib/cyrus/bin/smtptest
started=()

fail() {
  echo "FAILED: $*" >&2
  for log in "$tmp"/*.log; do
    [ ! -s "$log" ] || { echo "--- $log"; tail -n 20 "$log"; } >&2
  done
  exit 1
}

passed() { echo "ok: $*"; }

stop_all() {
  local id
  for id in "${started[@]}"; do kill "$id" 2> /dev/null || true; done
  for id in "${started[@]}"; do
    until ! kill -0 "$id" 2> /dev/null; do sleep 0.1; done
  done
  started=()
}
trap 'stop_all; [ ! -e "$tmp/postfix" ] || postfix stop 2> /dev/null || true' EXIT

free_port() {
  perl -MIO::Socket::INET -e \
    'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport'
}

# Waits until something listens there: wait_for PORT WHAT
wait_for() {
  local try
  for try in $(seq 600); do
    ! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null || return 0
    sleep 0.1
  done
  fail "$2 does not listen on port $1"
}

# What systemd would add for a unit: its drop-ins.
unit_environment() {
  cat /etc/systemd/system/"$1".d/*.conf 2> /dev/null | sed -n 's/^Environment=//p'
}

# The libsasl2 files that a process has mapped.
mapped() {
  sed -n 's|^[^/]*\(/.*libsasl2\.so[^ ]*\).*|\1|p' "/proc/$1/maps" | sort -u
}

# Every process of that name below that parent has that library, and no other.
require_mapped() { # FILE PARENT NAME
  local id found=
  for id in $(pgrep -P "$2" -x "$3" || true); do
    [ "$(mapped "$id")" = "$1" ] || fail "$3 has mapped '$(mapped "$id")', not $1"
    found=yes
  done
  [ -n "$found" ] || fail "no process $3 below $2"
  passed "$3 has $1"
}

# A directory that shows no password: cn=cyrus may search, users may bind.
start_slapd() {
  ldap=$(free_port)
  mkdir -p "$tmp/slapd/db"
  cat > "$tmp/slapd/slapd.conf" << END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile $tmp/slapd/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=cyrus,dc=users,dc=local" read by anonymous auth by * none
database mdb
suffix "dc=users,dc=local"
directory $tmp/slapd/db
maxsize 16777216
END
  slapadd -f "$tmp/slapd/slapd.conf" << 'END' || fail slapadd
dn: dc=users,dc=local
objectClass: domain
dc: users

dn: cn=cyrus,dc=users,dc=local
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: cyrus
userPassword: machine

dn: cn=johndoe,dc=users,dc=local
objectClass: inetOrgPerson
cn: johndoe
sn: Doe
mail: jdoe@example.com
userPassword: wonder
END
  slapd -f "$tmp/slapd/slapd.conf" -h "ldap://127.0.0.1:$ldap/" -d 0 > "$tmp/slapd.log" 2>&1 &
  started+=($!)
  slapd_id=$!
  wait_for "$ldap" slapd
}

# Cyrus IMAP as its unit would start it; what is read from standard input are
# the SASL options.
start_cyrus() {
  local folder=$tmp/cyrus
  imap=$(free_port)
  rm -rf "$folder"
  mkdir -p "$folder"/{conf/proc,spool,lock,socket,sieve}
  {
    cat << END
configdirectory: $folder/conf
partition-default: $folder/spool
defaultpartition: default
proc_path: $folder/conf/proc
mboxname_lockpath: $folder/lock
sievedir: $folder/sieve
lmtpsocket: $folder/socket/lmtp
idlesocket: $folder/socket/idle
notifysocket: $folder/socket/notify
admins: cyrus
servername: lab.test
virtdomains: userid
defaultdomain: internal
allowplaintext: yes
failedloginpause: 0
sasl_pwcheck_method: auxprop
END
    cat
  } > "$folder/imapd.conf"
  cat > "$folder/cyrus.conf" << END
START {
  recover cmd="ctl_cyrusdb -C $folder/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C $folder/imapd.conf -U 1" listen="127.0.0.1:$imap" prefork=0
}
END
  chown -R cyrus:mail "$folder"
  # shellcheck disable=SC2046 # words of an environment
  env $(unit_environment cyrus-imapd.service) /usr/sbin/cyrmaster \
    -C "$folder/imapd.conf" -M "$folder/cyrus.conf" -p "$folder/master.pid" > "$tmp/cyrus.log" 2>&1 &
  started+=($!)
  cyrus_id=$!
  wait_for "$imap" cyrmaster
}

directory_options() {
  cat << END
sasl_auxprop_plugin: ldapdb
sasl_mech_list: PLAIN LOGIN
sasl_ldapdb_uri: ldap://127.0.0.1:$ldap/dc=users,dc=local
sasl_ldapdb_bind_dn: cn=cyrus
sasl_ldapdb_bind_pw: machine
sasl_ldapdb_filter: (mail=%u)
END
}

# Sends a line and reads up to the one that begins with a word: say WORD LINE
say() {
  local line
  printf '%s\r\n' "$2" >&3
  while IFS= read -r -t 120 line <&3; do
    line=${line%$'\r'}
    case $line in "$1"*) echo "$line"; return ;; esac
  done
  echo 'the connection ended'
}

# Logs in to IMAP in three ways; prints the answers' second words.
imap_login() { # USER PASSWORD LIBRARY
  local plain answers=
  plain=$(printf '\0%s\0%s' "$1" "$2" | base64)
  for way in "LOGIN $1 $2" "AUTHENTICATE PLAIN $plain" login; do
    exec 3<> "/dev/tcp/127.0.0.1/$imap"
    IFS= read -r -t 120 _ <&3 || fail "imapd says nothing"
    if [ "$way" = login ]; then
      say + 'a AUTHENTICATE LOGIN' > "$tmp/said"
      say + "$(printf %s "$1" | base64)" > "$tmp/said"
      answer=$(say 'a ' "$(printf %s "$2" | base64)")
    else
      answer=$(say 'a ' "a $way")
    fi
    require_mapped "$3" "$cyrus_id" imapd >&2
    answers="$answers $(echo "$answer" | cut -d ' ' -f 2)"
    exec 3>&-
  done
  echo "${answers# }"
}

# Postfix as the distribution installs it, smtpd in its chroot, on a free port.
start_postfix() {
  smtp=$(free_port)
  touch "$tmp/postfix"
  postconf -e maillog_file=/var/log/postfix.log inet_interfaces=loopback-only \
    inet_protocols=ipv4 smtpd_sasl_auth_enable=yes smtpd_sasl_type=cyrus \
    smtpd_sasl_path=smtpd smtpd_sasl_local_domain=lab.test smtpd_error_sleep_time=0 \
    myhostname=mail.lab.test mydestination=lab.test alias_maps=
  postconf -M# smtp/inet > /dev/null 2>&1 || true
  postconf -M "127.0.0.1:$smtp/inet=127.0.0.1:$smtp inet n - y - - smtpd"
  mkdir -p /etc/postfix/sasl
  cat > /etc/postfix/sasl/smtpd.conf << END
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN SCRAM-SHA-256
END
  # shellcheck disable=SC2046 # words of an environment
  env $(unit_environment postfix@.service) postfix start > "$tmp/postfix.log" 2>&1 ||
    fail "postfix does not start"
  postfix_id=$(tr -d ' ' < /var/spool/postfix/pid/master.pid)
  wait_for "$smtp" smtpd
}

stop_postfix() {
  postfix stop > "$tmp/postfix.log" 2>&1
  postconf -MX "127.0.0.1:$smtp/inet"
  rm "$tmp/postfix"
}

# alice's password is "wonder-land", in the system's file and in the chroot's.
add_alice() {
  printf 'wonder-land' | "${1:-saslpasswd2}" -p -c -u lab.test alice
  install -Dm 640 -g postfix /etc/sasldb2 /var/spool/postfix/etc/sasldb2
}

# AUTH PLAIN; prints the answer's code.
smtp_login() { # USER PASSWORD LIBRARY
  exec 3<> "/dev/tcp/127.0.0.1/$smtp"
  IFS= read -r -t 120 _ <&3 || fail "smtpd says nothing"
  say '250 ' 'EHLO lab.test' > "$tmp/said"
  answer=$(say '' "AUTH PLAIN $(printf '\0%s\0%s' "$1" "$2" | base64)")
  require_mapped "$3" "$postfix_id" smtpd >&2
  exec 3>&-
  echo "${answer%% *}"
}

# SCRAM by a program of the distribution, whose own library counts too.
smtp_scram() { # PASSWORD [WITH...]
  "${@:2}" "$smtptest" -m SCRAM-SHA-256 -u alice -a alice -r lab.test -w "$1" -p "$smtp" 127.0.0.1 \
    < /dev/null > "$tmp/smtptest.log" 2>&1 || true
  grep -q '^Authenticated\.' "$tmp/smtptest.log"
}

installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii  *//p' | sort; }

same() { # WHAT EXPECTED FOUND
  [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
  passed "$1: $3"
}
