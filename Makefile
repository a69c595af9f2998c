# Inlet. make: build, no install, no root | make run: first run | make test: everything | make help: the rest.
BUILD  ?= build
CC     ?= cc
PREFIX ?= /usr/local
V      ?= 0
Q      := $(if $(filter 1,$V),,@)

PKGS         := lmdb libcrypto libsystemd yaml-0.1 jansson libmicrohttpd libsodium libcurl libseccomp
DECODE_PKGS  := vips libcrypto libseccomp libsodium uchardet libutf8proc libmagic
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef
CFLAGS ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN    ?=
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -fPIE -fvisibility=hidden -pthread $(WARN) $(CFLAGS) $(SAN) -DINLET_PREFIX='"$(PREFIX)"' -MMD -MP
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS) $(SAN)

# inlet-decode is built from base, model and its own side of daemon/decode; it links the media libraries, inletd does not.
DECODE_SRC := $(wildcard daemon/decode/worker*.c)
LIB_SRC    := $(filter-out $(DECODE_SRC),$(wildcard daemon/base/*.c config/*.c daemon/model/*.c daemon/net/*.c \
	daemon/manifest/*.c connectors/*.c daemon/store/*.c daemon/decode/*.c daemon/infer/*.c daemon/export/*.c \
	daemon/stages/*.c daemon/api/*.c daemon/cli/*.c))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$1)
PROGRAMS := $(BUILD)/inletd $(BUILD)/inlet $(BUILD)/inlet-decode

all: $(PROGRAMS)

$(BUILD)/inletd: $(call obj,daemon/inletd.c) $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS)) -ldl -lm
$(BUILD)/inlet: $(call obj,daemon/inlet.c) $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS)) -ldl -lm
$(BUILD)/inlet-decode: $(call obj,daemon/inlet-decode.c) $(BUILD)/libdecode.a $(BUILD)/libinlet.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(DECODE_PKGS)) -lm

$(BUILD)/libinlet.a: $(call obj,$(LIB_SRC))
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libdecode.a: $(call obj,$(DECODE_SRC))
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

libs = $(shell pkg-config --libs $1)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(DECODE_PKGS) 2>/dev/null)
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

# Unit tests mirror the tree: tests/unit/PATH/test_X.c is one cmocka program.
UNIT_SRC := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libdecode.a $(BUILD)/libinlet.a
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS) $(DECODE_PKGS)) -lcmocka -ldl -lm
.PRECIOUS: $(BUILD)/obj/%.o

unit: all $(UNIT_BIN)
	$(Q)fail=0; for t in $(UNIT_BIN); do INLET_BUILD=$(abspath $(BUILD)) $$t || fail=1; done; exit $$fail

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all unit clean
