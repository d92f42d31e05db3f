# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile, no recursion; everything made lies under $(B).  `make help` lists the targets,
# `make V=1` shows the commands, `make SAN=address,undefined` builds with sanitizers in a folder
# of its own.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# These work on a bare machine: no compiler is asked for.
BARE := help deps deps-test check-distro check-arm64 dist clean distclean
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(BARE),$(MAKECMDGOALS)),all),)
-include config.mk
endif
config.mk: configure
	@test -f $@ || echo "netprobe: no config.mk yet, running ./configure"
	./configure $(CONFIGURE)
# What configure missed, and what has come since: it is asked once more, as it was.
ifeq ($(MAKE_RESTARTS),)
ifneq ($(wildcard $(and $(filter no,$(CMOCKA)),/usr/include/cmocka.h) $(and $(filter no,$(FUZZER)),$(FUZZER_LIB))),)
config.mk: again
again:
endif
endif

ifneq ($(filter fuzz-memory fuzz-memory-programs,$(MAKECMDGOALS)),)
SAN := memory
endif
ifneq ($(filter fuzz fuzz-programs,$(MAKECMDGOALS)),)
SAN := address,undefined
endif

V ?= 0
ifeq ($(V),0)
  Q := @
  say = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)'
else
  say =
endif

VERSION  := 0.1.0
B        ?= build$(if $(SAN),/$(if $(filter memory,$(SAN)),msan,san))
PREFIX   ?= /usr/local
SBINDIR  ?= $(PREFIX)/sbin
MANDIR   ?= $(PREFIX)/share/man
DATADIR  ?= $(PREFIX)/share
INSTALL  ?= install

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
            -Wno-unused-parameter $(WERROR)
CPPFLAGS += -D_GNU_SOURCE -DNETPROBE_VERSION='"$(VERSION)"' -Isrc -Ibpf -I$(B)/gen \
            -include src/util/poison.h $(CONFIG_CPPFLAGS)
# Nobody unwinds the stack of a program of C but a debugger, which has tables of its own: -g.
HARDEN   := -fstack-protector-strong -fPIE -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=.
ifdef SAN
  # The fuzzers and the tests share one library: by clang, with the edges counted, where it has libFuzzer.
  BY_CLANG := address,undefined-yes memory-yes
  ifneq ($(filter $(BY_CLANG),$(SAN)-$(FUZZER)),)
    CC     := $(CLANG)
    SANITIZE := fuzzer-no-link,$(SAN)
  else
    SANITIZE := $(SAN)
  endif
  CFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
  CPPFLAGS += -U_FORTIFY_SOURCE
  LDMODE   := -fsanitize=$(SANITIZE)
else
  CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
  LDMODE   := $(LDSTATIC) -Wl,-z,relro,-z,now,-z,noexecstack
endif
# Without lines of what is inlined: nearly all is, and they would be as large as the programs.
BPFFLAGS := -g -gno-inline-line-tables -O2 -target bpf -mcpu=v2 -Wall -Werror -D__TARGET_ARCH_$(KARCH) $(ARCH_INC) -Ibpf

BPFSRC := $(wildcard bpf/*.bpf.c)
SKEL   := $(BPFSRC:bpf/%.bpf.c=$(B)/gen/%.skel.h)
SRCS   := $(filter-out src/compat/%,$(wildcard src/*.c src/*/*.c src/*/*/*.c))
OBJS   := $(SRCS:%.c=$(B)/%.o)
LIBOBJ := $(filter-out $(B)/src/main.o,$(OBJS))
COMPAT := $(if $(SAN),,$(CONFIG_COMPAT:%=$(B)/src/compat/%))
# Programs of the tests, by folder; the name says which kind it is.
UNIT   := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
ROOT   := $(patsubst %.c,$(B)/%,$(wildcard tests/bpf/test_*.c))
BENCH  := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/bench_*.c))
TOOLS  := $(patsubst %.c,$(B)/%,$(filter-out %/privprobe.c,$(wildcard tests/tools/*.c)))
TESTC  := $(filter-out %.bpf.c,$(wildcard tests/unit/*.c tests/bpf/*.c tests/bench/*.c tests/tools/*.c))
# Programs of the tests' own in the kernel; netprobe has none of them.
TESTBPF  := $(wildcard tests/bpf/*.bpf.c)
TESTSKEL := $(TESTBPF:%.bpf.c=$(B)/%.skel.h)

## all: the program, $(B)/netprobe
all: $(B)/netprobe

$(B)/netprobe: $(B)/src/main.o $(B)/libnetprobe.a $(COMPAT)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDMODE) $^ $(LIBS) -o $@

$(B)/libnetprobe.a: $(LIBOBJ)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcs $@ $^

$(B)/%.o: %.c config.mk | $(SKEL)
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CPPFLAGS) $(CFLAGS) $(HARDEN) -MMD -MP -c $< -o $@

$(ROOT:%=%.o) $(BENCH:%=%.o): CPPFLAGS += -I$(B)/tests/bpf
$(ROOT:%=%.o) $(BENCH:%=%.o): | $(TESTSKEL)

# Where clang puts the labels of basic blocks into the table of symbols, a quarter of the object, they get the ".L" of
# local ones in the assembler's text.  bpftool leaves out the DWARF and keeps the BTF.
LOCAL := -e 's/^LBB[0-9]/.&/' -e 's/\([^.A-Za-z0-9_$$]\)\(LBB[0-9]*_[0-9]\)/\1.\2/g'
BPF_MADE = $(@:.o=.tmp.$(if $(BPF_LABELS),labels.s,o))
$(B)/%.bpf.o: %.bpf.c config.mk
	$(call say,BPF)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) $(if $(BPF_LABELS),-S,-c) $< -o $(BPF_MADE)
ifdef BPF_LABELS
	$(Q)sed $(LOCAL) $(BPF_MADE) >$(@:.o=.tmp.s)
	$(Q)$(CLANG) -target bpf -mcpu=v2 -c $(@:.o=.tmp.s) -o $(@:.o=.tmp.o)
endif
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.tmp.o)

$(B)/gen/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

$(B)/tests/bpf/%.skel.h: $(B)/tests/bpf/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

# ── tests ────────────────────────────────────────────────────────────────────
# Their programs link everything but main.c; dynamically, for there is no static cmocka.  The tools
# are linked as the program itself is: some run where there are no libraries.
$(B)/tests/%: $(B)/tests/%.o $(B)/libnetprobe.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(if $(SAN),$(LDMODE)) $(filter %.o,$^) $(B)/libnetprobe.a \
		$(if $(filter test_%,$(*F)),-lcmocka) $(LIBS_DYNAMIC) -o $@

$(B)/tests/tools/privtest: $(B)/tests/tools/privprobe.o

$(TOOLS): %: %.o $(PARTS) $(B)/libnetprobe.a $(COMPAT)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDMODE) $^ $(LIBS) -o $@

unit-programs: $(UNIT)
root-programs: $(ROOT) $(TOOLS)
bench-programs: $(BENCH) $(TOOLS)
tools: $(TOOLS)
skeletons: $(SKEL) $(TESTSKEL)

## unit: run the unit tests
unit: $(UNIT)
	$(Q)set -e; for t in $(UNIT); do $$t; done
## check: everything that needs no privilege
check: all
	$(Q)tests/run unit san golden cli man lint
## check-root: what needs root: programs in this kernel, scenarios in namespaces
check-root: all
	$(Q)tests/run bpf net
## check-vm [K=6.1]: the same program in other Debian kernels, under QEMU
check-vm: all root-programs
	$(Q)tests/run vm$(if $(K),/$(K))
## check-all: all of the above and what takes long, check-distro and check-arm64: see HACKING, 5
check-all: all
	$(Q)rc=0; tests/run --all || rc=1; \
	for t in "distro.sh bookworm" "distro.sh trixie" "distro.sh sid" arm64.sh; do \
		tests/$$t || [ $$? = 77 ] || rc=1; \
	done; exit $$rc
## check-distro D=trixie: build and try it with another Debian suite's compilers and libraries (root)
check-distro:
	$(Q)tests/distro.sh $(D)
## check-arm64: cross build for arm64, try it under qemu-user (root)
check-arm64:
	$(Q)tests/arm64.sh
## golden [T=name]: renew the expected output of one golden test, or of all
golden: all
	$(Q)tests/golden.sh --renew '$(T)'
## lint: formatting, direction of includes, sizes, clang-tidy, shellcheck, mandoc, words
lint:
	$(Q)tests/run lint
## bench: speed and memory against a peer, in the same run (root)
bench: all bench-programs
	$(Q)B=$(B) tests/bench/run

# ── fuzzing: these goals are built with sanitizers, whether SAN is said or not ─
FUZZ   := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

# A fuzzer may check what the unit tests check: "unit/json_check.h"; frames of tests/bpf serve both.
$(B)/tests/fuzz/%.o $(B)/tests/unit/%.o: CPPFLAGS += -Itests
$(FUZZ): $(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libnetprobe.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer,$(SAN) $^ $(LIBS_DYNAMIC) -o $@

fuzz-programs: $(FUZZ)
## fuzz [F=name] [T=seconds]: one fuzzer, or each, for T seconds (60)
fuzz: $(if $(F),$(B)/fuzz_$(F),$(FUZZ))
	$(Q)set -e; for f in $(or $(F),$(patsubst $(B)/fuzz_%,%,$(FUZZ))); do tests/fuzz/run.sh $$f $(or $(T),60); done

## fuzz-memory: each parser over the committed corpus: does it read what nobody wrote? (MemorySanitizer)
fuzz-memory-programs: $(FUZZ)
fuzz-memory: $(FUZZ)
	$(Q)tests/fuzz/memory.sh

# ── installing, packing, packages ────────────────────────────────────────────
## install, uninstall: below DESTDIR and PREFIX
MAN8 := $(notdir $(wildcard man/*.8))
MAN5 := $(notdir $(wildcard man/*.5))
COMPLETIONS := bash-completion/completions/netprobe zsh/site-functions/_netprobe fish/vendor_completions.d/netprobe.fish
install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 755 $(B)/netprobe $(DESTDIR)$(SBINDIR)/netprobe
	$(STRIP) $(DESTDIR)$(SBINDIR)/netprobe
	$(INSTALL) -m 644 $(MAN8:%=man/%) $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 $(MAN5:%=man/%) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -D -m 644 completions/netprobe.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/netprobe
	$(INSTALL) -D -m 644 completions/_netprobe $(DESTDIR)$(DATADIR)/zsh/site-functions/_netprobe
	$(INSTALL) -D -m 644 completions/netprobe.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/netprobe.fish
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/netprobe $(MAN8:%=$(DESTDIR)$(MANDIR)/man8/%) $(MAN5:%=$(DESTDIR)$(MANDIR)/man5/%)
	rm -f $(COMPLETIONS:%=$(DESTDIR)$(DATADIR)/%)

## dist, distcheck: the source archive of HEAD; unpack it elsewhere, build and check it there
DIST := netprobe-$(VERSION)
dist:
	$(Q)mkdir -p build
	if [ -e .git ]; then git archive --format=tar.gz --prefix=$(DIST)/ -o build/$(DIST).tar.gz HEAD; \
	else tar --exclude=./build --exclude=./config.mk --exclude=./config.log --exclude=./compile_commands.json \
		--transform='s|^[.]|$(DIST)|' -czf build/$(DIST).tar.gz .; fi
distcheck: dist
	rm -rf build/$(DIST)
	tar -C build -xzf build/$(DIST).tar.gz
	cd build/$(DIST) && ./configure && $(MAKE) && $(MAKE) check
	rm -rf build/$(DIST)

## deps, deps-test: install the Debian or Ubuntu packages for building; for all tests
deps:
	$(Q)tests/deps build
deps-test:
	$(Q)tests/deps build test

## compile_commands.json: for clangd and clang-tidy
TIDYSRC := $(SRCS) $(TESTC) $(wildcard tests/fuzz/*.c)
export CC_LINE  := $(CC) -std=gnu11 $(WARN) $(CPPFLAGS) $(CFLAGS)
export BPF_LINE := $(CLANG) $(BPFFLAGS)
compile_commands.json: config.mk Makefile $(TIDYSRC) $(SKEL)
	$(call say,GEN)
	$(Q)for f in $(TIDYSRC) $(BPFSRC); do \
		case $$f in bpf/*) line=$$BPF_LINE ;; *) line=$$CC_LINE ;; esac; \
		printf '%s -c %s\n' "$$line" "$$f"; \
	done | awk -v d='$(CURDIR)' '{ f = $$NF; gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); \
		printf("%s{\"directory\":\"%s\",\"file\":\"%s\",\"command\":\"%s\"}", NR > 1 ? ",\n" : "[\n", d, f, $$0) } \
		END { print "\n]" }' > $@

## clean, distclean
clean:
	$(Q)rm -rf $(B)
distclean:
	$(Q)rm -rf build config.mk config.log compile_commands.json
help:
	@sed -n "s/^## /  /p" Makefile

.PHONY: again all unit unit-programs root-programs bench-programs fuzz-programs fuzz-memory \
	fuzz-memory-programs tools skeletons check check-root check-vm \
	check-distro check-arm64 check-all golden lint bench fuzz install uninstall dist distcheck deps deps-test clean \
	distclean help
.SECONDARY:
-include $(OBJS:.o=.d) $(TESTC:%.c=$(B)/%.d) $(BPFSRC:%.bpf.c=$(B)/%.bpf.d) $(TESTBPF:%.c=$(B)/%.d)
-include $(wildcard $(B)/tests/fuzz/*.d)
