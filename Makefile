# SPDX-License-Identifier: MIT OR Apache-2.0
# The doors. `make` alone lists them.

CARGO ?= cargo
# A folder of its own: nothing on the system changes until a program is told
# to use it. With LIBDIR=/usr/lib/x86_64-linux-gnu it takes stock's place.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib/oxisasl
INCLUDEDIR ?= $(PREFIX)/include/oxisasl
DESTDIR ?=
# Where the distribution has its library and plugins.
STOCK ?= /usr/lib/x86_64-linux-gnu
STAGE = $(or $(CARGO_TARGET_DIR),target)/stage

.PHONY: help demo check check-all asan packages fmt clippy unsafe test stage bench install clean

help:
	@echo 'make demo      IMAP logins against an LDAP directory, and eight mistakes explained'
	@echo 'make check     format, lints, unsafe code, all tests (what CI runs)'
	@echo 'make check-all the same with database and mail servers, libvirt, QEMU, lighttpd,'
	@echo '               Squid, and AddressSanitizer'
	@echo 'make test      the tests only'
	@echo 'make stage     the library and its plugins in target/stage/lib'
	@echo 'make bench     stock and ours in turn: instructions, memory, time, as ratios'
	@echo 'make install   [DESTDIR=] [PREFIX=/usr/local] [LIBDIR=PREFIX/lib/oxisasl]'
	@echo 'make clean     removes what was built'

demo:
	@sh tests/packages.sh demo
	@$(CARGO) run -q -p lab --bin demo

check: packages fmt clippy unsafe test

# What is not installed is skipped by `check` and missed by `check-all`.
check-all:
	@sh tests/packages.sh check-all
	LAB_ALL=1 $(MAKE) check
	$(MAKE) asan

# Needs the nightly toolchain, and gcc for the programs.
asan:
	@sh tests/packages.sh check
	sh tests/asan.sh

packages:
	@sh tests/packages.sh check

fmt:
	$(CARGO) fmt --all -- --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unsafe:
	sh tests/unsafe.sh

test:
	@sh tests/packages.sh check
	@$(CARGO) run -q -p lab --bin consumers -- --forget
	@status=0; $(CARGO) test --workspace --no-fail-fast || status=$$?; \
	  $(CARGO) run -q -p lab --bin consumers; exit $$status

stage:
	@$(CARGO) run -q -p lab --bin stage

bench:
	@sh tests/packages.sh check
	@$(CARGO) build --release
	@bench/run

install: stage
	install -d $(DESTDIR)$(LIBDIR)/sasl2
	install -m 644 $(STAGE)/lib/libsasl2.so.2 $(DESTDIR)$(LIBDIR)/libsasl2.so.2
	for plugin in $(STAGE)/lib/sasl2/*.so; do install -m 644 $$plugin $(DESTDIR)$(LIBDIR)/sasl2/; done
	ln -sf libsasl2.so.2 $(DESTDIR)$(LIBDIR)/libsasl2.so
	install -d $(DESTDIR)$(INCLUDEDIR)/sasl $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/sasl/*.h $(DESTDIR)$(INCLUDEDIR)/sasl
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(LIBDIR)|' \
	  -e 's|@includedir@|$(INCLUDEDIR)|' include/libsasl2.pc.in \
	  > $(DESTDIR)$(LIBDIR)/pkgconfig/libsasl2.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/libsasl2.pc
	@echo 'To use it: LD_LIBRARY_PATH=$(LIBDIR) SASL_PATH=$(LIBDIR)/sasl2:$(STOCK)/sasl2 PROGRAM'

clean:
	$(CARGO) clean
