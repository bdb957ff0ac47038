# Everything that a developer or CI runs. Stories go to stdout, everything else to stderr.
#
#   make demo    the whole path in thirty lines: a key goes in, orders come out
#   make dev     a server to play with, left running; claviger-home/dev.env says where
#   make stop    ends it
#   make test    lint, tests, documentation tests, the demo: all that CI calls
#   make bench   what it costs, on this machine
#   make bench-console   the operator console before 1,000,000 credentials
#   make drill   the KEK of 100,000 credentials is rotated while orders go on and the service is killed twice
#   make drill-notices   100,000 owners are told of an incident, by a relay that fails and a service that is killed
#   make tour    docs/tour: the operator console played in a terminal, recorded, and in pictures
#   make test-kryoptic   the token's tests once more, on a second module; see tests/kryoptic/README.md

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
LAB = $(TOKEN_ENV) $(TARGET)/debug/claviger-lab

# Where the tools are unpacked when nobody may install them.
UNPACKED := $(abspath $(TARGET))/debian
export PATH := $(PATH):$(UNPACKED)/usr/bin
SOFTHSM := $(UNPACKED)/usr/lib/softhsm/libsofthsm2.so
UNPACKED_CLANG = $(wildcard $(UNPACKED)/usr/lib/llvm-*/lib)

# Asked in the recipes, when the tools are there: an unpacked SoftHSM is not where anybody would look for it.
TOKEN_ENV = $(if $(shell test -e $(SOFTHSM) && echo yes),env CLAVIGER_SOFTHSM=$(SOFTHSM))

# The second module, and the tests that its README says it cannot hold.
KRYOPTIC := $(abspath $(TARGET))/kryoptic
KRYOPTIC_SKIPS = $(shell sed -n 's/^| `\([a-z_:]*\)`.*/--skip \1/p' tests/kryoptic/README.md)

.PHONY: demo dev stop test test-kryoptic lint bench bench-console drill drill-notices tour build tools tools-clients tools-kryoptic

demo dev: build
	@$(LAB) $@

tour: tools-clients build
	@$(LAB) $@

stop:
	@test ! -x $(TARGET)/debug/claviger-lab || $(LAB) stop

test: tools-clients lint build
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(TOKEN_ENV) $(CARGO) nextest run --workspace --locked --no-fail-fast; \
	else \
		$(TOKEN_ENV) $(CARGO) test --workspace --locked --no-fail-fast --lib --bins --tests; \
	fi
	@$(CARGO) test --workspace --locked --doc
	@$(MAKE) --no-print-directory demo

lint:
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
		echo "lint: cargo-deny is not installed; licences and sources were not checked" >&2; \
	elif $(CARGO) deny fetch >/dev/null 2>&1; then \
		$(CARGO) deny check; \
	else \
		echo "lint: no advisory database can be reached; advisories were not checked" >&2; \
		$(CARGO) deny check bans licenses sources; \
	fi

bench bench-console drill drill-notices: tools tools-clients
	@$(CARGO) build --workspace --locked --release
	@$(TOKEN_ENV) $(TARGET)/release/claviger-lab $@

# The programs that tests, demo and dev start; they build nothing themselves.
build: tools
	@$(CARGO) build --workspace --locked

test-kryoptic: tools-kryoptic
	@$(if $(UNPACKED_CLANG),LIBCLANG_PATH=$(UNPACKED_CLANG) LD_LIBRARY_PATH=$(wildcard $(UNPACKED)/usr/lib/*-linux-gnu)) \
		$(CARGO) build --manifest-path tests/kryoptic/Cargo.toml --target-dir $(KRYOPTIC) --release --locked -p kryoptic
	@CLAVIGER_TEST_MODULE=$(KRYOPTIC)/release/libkryoptic_pkcs11.so \
		$(CARGO) test --locked -p claviger-hsm --test token -- --exact $(KRYOPTIC_SKIPS)

# SoftHSM is the token, strace a witness in one test.
tools:
	@command -v softhsm2-util >/dev/null && command -v strace >/dev/null || { $(call install,softhsm2 strace); }

# Python and Node.js, which run other people's client libraries in tests; curl and openssl are a client of their own; a
# browser shows passkeys; tmux is the terminal of the operator console.
CLIENTS = python3-venv nodejs npm curl openssl chromium chromium-driver tmux
tools-clients:
	@python3 -c 'import ensurepip' 2>/dev/null && command -v npm >/dev/null && \
		command -v curl >/dev/null && command -v openssl >/dev/null && \
		command -v chromium >/dev/null && command -v chromedriver >/dev/null && command -v tmux >/dev/null || \
		{ $(call install,$(CLIENTS),echo "ask for $(CLIENTS): they do not run unpacked" >&2; exit 69); }

# What reads C headers while Kryoptic is built.
tools-kryoptic:
	@ls /usr/lib/llvm-*/lib/libclang.so /usr/lib*/libclang.so $(UNPACKED)/usr/lib/llvm-*/lib/libclang.so 2>/dev/null \
		| grep -q . || { $(call install,libclang-dev); }

# What apt would install is unpacked when nobody may install it, unless the second argument knows better.
define install
echo "installing $(1)" >&2; \
install="apt-get install -y -qq --no-install-recommends $(1)"; \
if ! command -v apt-get >/dev/null; then \
	echo "install $(1): this machine has no apt-get" >&2; exit 69; \
elif [ "$$(id -u)" = 0 ]; then \
	{ apt-get update -qq && $$install; } >&2; \
elif sudo -n true 2>/dev/null; then \
	{ sudo -n apt-get update -qq && sudo -n $$install; } >&2; \
else \
	$(or $(2),$(call unpack,$(1))); \
fi
endef

define unpack
mkdir -p $(UNPACKED) && cd $(UNPACKED) && \
apt-get download $$(apt-get -s install --no-install-recommends $(1) | awk '/^Inst/ { print $$2 }') >&2 && \
for package in *.deb; do dpkg -x "$$package" .; done
endef
