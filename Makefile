# SPDX-License-Identifier: MIT OR Apache-2.0
# The doors. `make` alone lists them.

CARGO ?= cargo
# A folder of its own: nothing on the system changes until a program is told
# to use it. With LIBDIR=/usr/lib/x86_64-linux-gnu it takes stock's place.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib/oxisasl
INCLUDEDIR ?= $(PREFIX)/include/oxisasl
SBINDIR ?= $(PREFIX)/sbin
SHAREDIR ?= $(PREFIX)/share
DESTDIR ?=
# Where the distribution has its library and plugins.
STOCK ?= /usr/lib/x86_64-linux-gnu
TOOLS = saslpasswd2 sasldblistusers2 pluginviewer testsaslauthd
BUILT = $(or $(CARGO_TARGET_DIR),target)
STAGE = $(or $(CARGO_TARGET_DIR),target)/stage

.PHONY: help demo check check-all asan tsan fuzz packages fmt clippy unsafe test stage bench book install vendor deb check-deb clean

help:
	@echo 'make demo      IMAP logins against an LDAP directory, and eight mistakes explained'
	@echo 'make check     format, lints, unsafe code, all tests (what CI runs)'
	@echo 'make check-all the same with database, directory (389, Samba) and mail servers, libvirt,'
	@echo '               QEMU, lighttpd, Squid, asan and tsan'
	@echo 'make asan      C programs on a library built with AddressSanitizer (tsan: with ThreadSanitizer)'
	@echo 'make test      the tests only'
	@echo 'make stage     the library and its plugins in target/stage/lib'
	@echo 'make bench     stock and ours in turn: instructions, memory, time, as ratios'
	@echo 'make book      docs/ as a book, in target/book (needs mdbook)'
	@echo 'make install   [DESTDIR=] [PREFIX=/usr/local] [LIBDIR=PREFIX/lib/oxisasl]'
	@echo 'make fuzz      [FUZZ_SECONDS=600] [FUZZ_TARGETS="..."] mutated messages and files'
	@echo 'make deb       Debian packages in target/deb'
	@echo 'make check-deb the same, installed and used in scratch roots'
	@echo 'make vendor    the crates into vendor/: make deb needs no network then'
	@echo 'make clean     removes what was built'

demo:
	@sh tests/packages.sh demo
	@$(CARGO) run -q -p lab --bin demo

check: packages fmt clippy unsafe test

# What is not installed is skipped by `check` and missed by `check-all`. The two
# directories are fetched and run without being installed (tests/lab/src/tree.rs).
check-all:
	@sh tests/packages.sh check-all
	LAB_ALL=1 $(MAKE) check
	$(MAKE) asan tsan

# Needs the nightly toolchain, and gcc for the programs.
asan:
	@sh tests/packages.sh check
	sh tests/sanitize.sh address

# Needs rust-src of the nightly toolchain too.
tsan:
	@sh tests/packages.sh check
	sh tests/sanitize.sh thread

# Every target for ten minutes, one after the other (docs/fuzzing.md).
fuzz:
	@sh tests/packages.sh check
	@tests/fuzz/run.sh

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
	@$(CARGO) build --release -p oxisasl -p sasldb -p ldapdb
	@$(CARGO) build -p lab
	@bench/run

book:
	@command -v mdbook > /dev/null || \
	  { echo 'mdbook is missing: cargo install mdbook --locked' >&2; exit 1; }
	mdbook build --dest-dir $(abspath $(BUILT))/book

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
	$(CARGO) run -q --release -p tools --example manuals $(STAGE)/manuals
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SHAREDIR)/man/man8
	for section in 3 5; do \
	  install -d $(DESTDIR)$(SHAREDIR)/man/man$$section && \
	  install -m 644 docs/man/*.$$section $(DESTDIR)$(SHAREDIR)/man/man$$section/ || exit 1; \
	done
	install -d $(DESTDIR)$(SHAREDIR)/bash-completion/completions
	install -d $(DESTDIR)$(SHAREDIR)/zsh/vendor-completions $(DESTDIR)$(SHAREDIR)/fish/vendor_completions.d
	for tool in $(TOOLS); do \
	  install -m 755 $(BUILT)/release/$$tool $(DESTDIR)$(SBINDIR)/ && \
	  install -m 644 $(STAGE)/manuals/$$tool.8 $(DESTDIR)$(SHAREDIR)/man/man8/ && \
	  install -m 644 $(STAGE)/manuals/$$tool.bash $(DESTDIR)$(SHAREDIR)/bash-completion/completions/$$tool && \
	  install -m 644 $(STAGE)/manuals/$$tool.zsh $(DESTDIR)$(SHAREDIR)/zsh/vendor-completions/_$$tool && \
	  install -m 644 $(STAGE)/manuals/$$tool.fish $(DESTDIR)$(SHAREDIR)/fish/vendor_completions.d/ || exit 1; \
	done
	@echo 'To use it: LD_LIBRARY_PATH=$(LIBDIR) SASL_PATH=$(LIBDIR)/sasl2:$(STOCK)/sasl2 PROGRAM'

vendor:
	$(CARGO) vendor --locked --versioned-dirs vendor > /dev/null

deb:
	@sh tests/packages.sh deb
	sh debian/make-deb

check-deb:
	@sh tests/packages.sh deb
	sh tests/deb/check

clean:
	$(CARGO) clean
