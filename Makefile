# Interneg. `make demo` and `make test` do everything on a bare Debian 12; the rest is for developers.
#   all       the program, ./interneg           test      everything that CI runs
#   demo      a finished clip (CLIP=any.mp4)     unit T=x  one unit test
#   asan tsan the tests under sanitizers         lint      layers, sizes, warnings
#   bench     figures against peers (T=x one)    docs      the node reference, from the registry
#   parity    the table of errors against oracles, nodes/PARITY.md
#   avx512    the AVX-512 code on an emulated CPU (T=part), half an hour
#   bless     accept new golden hashes           install   into $(PREFIX)
# SPDX-License-Identifier: BSD-2-Clause

CC     ?= gcc
B      ?= build
PREFIX ?= /usr/local
MODE   ?= release
PKGS   := libxml-2.0 OpenEXR lua5.4 libavformat libavcodec libavutil nettle libpng libxxhash libdeflate zlib

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-declarations -Wvla -Werror
# The determinism contract: no contraction, no fast-math; the two last let compares vectorise and change no result but
# one: from SSE4.1 on GCC 12 makes trunc(x) of (float)(int)x, -0 where x is -0 or a negative fraction, x beyond int.
DET    := -ffp-contract=off -fno-math-errno -fno-trapping-math
CSTD   := -std=c11 -D_GNU_SOURCE
OPT    := -O2 -g
POPT   := -O3 -g
SAN    :=
# gcc warns of things that cannot happen once sanitizers have rewritten the code; the plain build is the strict one.
ifneq ($(MODE),release)
WARN := $(filter-out -Werror,$(WARN)) -w
endif
ifeq ($(MODE),asan)
B    := build-asan
SAN  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT  := -O1 -g
POPT := -O1 -g
endif
ifeq ($(MODE),tsan)
B    := build-tsan
SAN  := -fsanitize=thread
OPT  := -O1 -g
POPT := -O1 -g
endif

# V=1 shows whole command lines
Q := $(if $(V),,@)

PKGFLAGS = $(eval PKGFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKGFLAGS)
PKGLIBS  = $(eval PKGLIBS := $(shell pkg-config --libs libxml-2.0 lua5.4 nettle libpng libxxhash libdeflate zlib) -lOpenEXRCore-3_1)$(PKGLIBS)
CFLAGS   = $(CSTD) $(WARN) $(DET) $(SAN) -Icore $(PKGFLAGS) -pthread -fvisibility=hidden
LDLIBS   = $(PKGLIBS) -pthread -rdynamic

CORE  := $(filter-out core/main.c,$(wildcard core/*.c))
NODES := $(wildcard nodes/*.c)
OBJ   := $(CORE:core/%.c=$(B)/core/%.o) $(B)/nodes_gen.o \
         $(foreach i,baseline avx2 avx512,$(NODES:nodes/%.c=$(B)/nodes-$(i)/%.o))
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))

ISA_baseline := -march=x86-64 -DIN_ISA=baseline
ISA_avx2     := -march=x86-64-v3 -DIN_ISA=avx2
ISA_avx512   := -march=x86-64-v4 -mprefer-vector-width=512 -DIN_ISA=avx512

# OpenColorIO stands in a shared object of its own, opened when a scene asks for it; without its headers there is none.
CXX  ?= g++
OCIO := $(if $(shell pkg-config --exists OpenColorIO && command -v $(CXX)),$(B)/interneg-ocio.so)

.PHONY: all demo test test-all asan tsan ubsan faults fuzz bench bless docs layers lint install clean deps deps-test unit program
.DELETE_ON_ERROR:

all: program
# ./interneg is the plain build's
program: $(if $(SAN),$(B)/interneg,interneg) $(OCIO)

deps:
	@sh tests/tools/deps.sh
deps-test:
	@sh tests/tools/deps.sh test

demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) program
	@sh examples/demo.sh '$(CLIP)'

test: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) program units
	@B=$(B) sh tests/run.sh $(T)

# Longer: fault injection, fuzzing and the sanitizers on top of `test`.
test-all: test faults asan tsan

asan ubsan: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=asan sanitized
tsan: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=tsan sanitized
.PHONY: sanitized units
sanitized: $(B)/interneg $(OCIO) units
	@B=$(B) INTERNEG=$(B)/interneg SANITIZED=$(MODE) sh tests/run.sh $(T)

units: $(UNITS:%=$(B)/unit/%) $(B)/conform
unit: $(B)/unit/$(T)
	$(B)/unit/$(T)

faults: program
	@sh tests/faults/run.sh
fuzz: program
	@sh tests/fuzz/run.sh
bench: program
	@T='$(T)' sh tests/bench/run.sh
bless: program
	@sh tests/golden/bless.sh $(T)
docs: program
	./interneg nodes --markdown > nodes/README.md
# Grain profiles of generic stocks, from their recipe.
stocks: $(B)/tools/stocks
	$(B)/tools/stocks graphs/stocks
# The learned upscaler's filters, from photographs of Debian packages (minutes; tests/tools/train.sh says which).
train: $(B)/tools/train
	@sh tests/tools/train.sh $(B)/tools/train graphs/learned
$(B)/tools/train: OPT := $(POPT)
# Tables of nodes/UPSCALE.md.
upscale-table: $(B)/tools/upscale-psnr program
	@sh tests/tools/upscale-table.sh $(B)/tools/upscale-psnr nodes/UPSCALE.md
	@sh tests/tools/steady-table.sh nodes/UPSCALE.md
.PHONY: train upscale-table
$(B)/tools/%: tests/tools/%.c $(B)/libinterneg.a
	@mkdir -p $(@D)
	$Q$(CC) $(CFLAGS) $(OPT) -MMD -MP -o $@ $< $(B)/libinterneg.a $(LDLIBS)
.PHONY: stocks
parity: program
	@$(MAKE) --no-print-directory $(foreach u,colour aces tone ocio gradevec lut,$(B)/unit/$(u))
	@B=$(B) sh tests/tools/parity.sh -o nodes/PARITY.md
.PHONY: parity
# Bits of AVX-512 on CPUs without it (tests/avx512/run.sh).
avx512: program $(B)/avx512/cpu $(B)/avx512/pictures $(B)/avx512/nets
	@B=$(B) sh tests/avx512/run.sh $(T)
.PHONY: avx512
$(B)/avx512/pictures: tests/conform/rig.c tests/conform/psource.c tests/conform/conform.h
$(B)/avx512/nets: tests/unit/nn_case.h
$(B)/avx512/%: tests/avx512/%.c $(B)/libinterneg.a tests/test.h
	@mkdir -p $(@D)
	@echo 'CC $<'
	$Q$(CC) $(CFLAGS) $(OPT) -Itests -Itests/conform -o $@ $(filter %.c,$^) $(B)/libinterneg.a $(LDLIBS) -lm
layers lint:
	@sh tests/tools/lint.sh

install: program
	install -D -m 755 interneg $(DESTDIR)$(PREFIX)/bin/interneg
	$(if $(OCIO),install -D -m 755 $(OCIO) $(DESTDIR)$(PREFIX)/lib/interneg/interneg-ocio.so)
	mkdir -p $(DESTDIR)$(PREFIX)/share/interneg && cp -r lua graphs $(DESTDIR)$(PREFIX)/share/interneg/
clean:
	rm -rf build build-* interneg

interneg: $(B)/interneg
	@cp -f $< $@
$(B)/interneg: $(B)/core/main.o $(B)/libinterneg.a
	@echo 'LD $@'
	$Q$(CC) $(SAN) -o $@ $< -Wl,--whole-archive $(B)/libinterneg.a -Wl,--no-whole-archive $(LDLIBS)
$(B)/interneg-ocio.so: core/ocio_shim.cpp core/ocio_shim.h
	@mkdir -p $(@D)
	@echo 'CXX $@'
	$Q$(CXX) -std=c++14 -Wall -Wextra -Werror -O2 -g -fPIC -shared -fvisibility=hidden $(SAN) -Icore -o $@ $< $(shell pkg-config --cflags --libs OpenColorIO)
$(B)/libinterneg.a: $(OBJ)
	@rm -f $@
	@ar rcs $@ $^
$(B)/unit/graphs: tests/conform/rig.c tests/conform/psource.c tests/conform/conform.h tests/fuzz/graphs_fuzz.h
$(B)/unit/%: tests/unit/%.c $(B)/libinterneg.a tests/test.h
	@mkdir -p $(@D)
	@echo 'CC $<'
	$Q$(CC) $(CFLAGS) $(OPT) -Itests -Itests/conform -MMD -MP -o $@ $(filter %.c,$^) $(B)/libinterneg.a $(LDLIBS) -lm

$(B)/conform: $(wildcard tests/conform/*.c tests/conform/*.h) $(B)/libinterneg.a tests/test.h
	@echo 'CC tests/conform'
	$Q$(CC) $(CFLAGS) $(OPT) -Itests -Itests/conform -o $@ $(wildcard tests/conform/*.c) $(B)/libinterneg.a $(LDLIBS)
$(B)/core/%.o: core/%.c
	@mkdir -p $(@D)
	@echo 'CC $<'
	$Q$(CC) $(CFLAGS) $(OPT) -MMD -MP -c -o $@ $<
# What solve reads every pixel with.
$(B)/core/measure_sweep.o $(B)/core/measure_area.o $(B)/core/cdlstat.o: OPT := $(POPT)
$(B)/nodes_gen.c: $(NODES) tests/tools/gen-nodes.sh
	@mkdir -p $(@D)
	@sh tests/tools/gen-nodes.sh $(NODES) > $@
$(B)/nodes_gen.o: $(B)/nodes_gen.c
	$Q$(CC) $(CFLAGS) $(OPT) -c -o $@ $<
define isa_rule
$(B)/nodes-$(1)/%.o: nodes/%.c
	@mkdir -p $$(@D)
	@echo 'CC $$< ($(1))'
	$$Q$$(CC) $$(CFLAGS) $$(POPT) $$(ISA_$(1)) -MMD -MP -c -o $$@ $$<
endef
$(foreach i,baseline avx2 avx512,$(eval $(call isa_rule,$(i))))

-include $(shell find $(B) -name '*.d' 2>/dev/null)
