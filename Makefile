# SPDX-License-Identifier: MIT OR Apache-2.0
# The doors. `make` alone lists them.

CARGO ?= cargo
# A folder of its own: nothing on the system changes until a program is told
# to use it. With LIBDIR=/usr/lib/x86_64-linux-gnu it takes stock's place.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib/oxisasl
DESTDIR ?=

.PHONY: help demo check fmt clippy unsafe test stage bench install clean

help:
	@echo 'make demo      IMAP logins against an LDAP directory, and eight mistakes explained'
	@echo 'make check     format, lints, unsafe code, all tests (what CI runs)'
	@echo 'make test      the tests only'
	@echo 'make stage     the library and its ldapdb plugin in target/stage/lib'
	@echo 'make bench     logins a second, stock and ours'
	@echo 'make install   [DESTDIR=] [PREFIX=/usr/local] [LIBDIR=PREFIX/lib/oxisasl]'
	@echo 'make clean     removes what was built'

demo:
	@sh tests/packages.sh demo
	@$(CARGO) run -q -p lab --bin demo

check: fmt clippy unsafe test

fmt:
	$(CARGO) fmt --all -- --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unsafe:
	sh tests/unsafe.sh

test:
	@sh tests/packages.sh check
	$(CARGO) test --workspace

stage:
	$(CARGO) build --release -p oxisasl -p ldapdb -p sasldb
	mkdir -p target/stage/lib/sasl2
	install -m 644 target/release/libsasl2.so target/stage/lib/libsasl2.so.2
	install -m 644 target/release/libldapdb.so target/stage/lib/sasl2/libldapdb.so
	install -m 644 target/release/libsasldb.so target/stage/lib/sasl2/libsasldb.so

bench:
	@sh tests/packages.sh check
	@$(CARGO) run -q --release -p lab --bin bench

install: stage
	install -d $(DESTDIR)$(LIBDIR)/sasl2
	install -m 644 target/stage/lib/libsasl2.so.2 $(DESTDIR)$(LIBDIR)/libsasl2.so.2
	install -m 644 target/stage/lib/sasl2/libldapdb.so $(DESTDIR)$(LIBDIR)/sasl2/libldapdb.so
	install -m 644 target/stage/lib/sasl2/libsasldb.so $(DESTDIR)$(LIBDIR)/sasl2/libsasldb.so
	@echo 'To use it: LD_LIBRARY_PATH=$(LIBDIR) SASL_PATH=$(LIBDIR)/sasl2 PROGRAM'

clean:
	$(CARGO) clean
