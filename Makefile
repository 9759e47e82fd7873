# SPDX-License-Identifier: GPL-2.0
# For people. What is built, and how, is in Kbuild.

KVER ?= $(shell uname -r)
KDIR ?= $(shell tools/vm/kernel -k $(KVER))
BUILD := build/$(KVER)
V ?= 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

.PHONY: modules
modules: ## build for the running kernel, or KVER=6.1.0-56-amd64, or KDIR=path
	@test -e $(KDIR)/Makefile || { echo "No kernel headers in $(KDIR): apt-get install linux-headers-$(KVER)" >&2; exit 1; }
	@mkdir -p $(BUILD)
	@cp -aut $(BUILD) Kbuild dkms.conf modules kunit
	@install -D -m 644 tools/packaging/modprobe.conf $(BUILD)/modprobe.d/netguard.conf
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(BUILD) V=$(V) $(KFLAGS) modules

# What the command netguard is built with.
TOOLS_PACKAGES := libpcap-dev libjson-c-dev libkmod-dev libmnl-dev libncurses-dev

# What make check and make demo need of Debian, besides the kernels that they boot.
PACKAGES := build-essential bc bison flex kmod libelf-dev libssl-dev lz4 perl python3 xz-utils \
	$(addprefix linux-source-,$(shell tools/vm/kernel -s)) qemu-system-x86 busybox-static cpio \
	iproute2 iputils-ping tcpdump conntrack ethtool nftables libteam-utils openvswitch-switch procps \
	$(TOOLS_PACKAGES) libnetfilter-queue-dev util-linux \
	bash-completion jq systemd mandoc debhelper dh-dkms lintian mmdebstrap tshark sparse coccinelle shellcheck cppcheck

.PHONY: setup
setup: ## install the Debian packages that demo and check need
	@tools/vm/kernel -n >/dev/null 2>&1 || [ $$(id -u) != 0 ] || apt-get -qq update
	@tools/vm/setup $(PACKAGES)

# A warning ends it, so that an object that is there had none: make lint only has to add sparse.
.PHONY: kernels
kernels: setup
	@set -e; mkdir -p build; releases=$$(tools/vm/kernel); for release in $$releases; do \
		$(MAKE) --no-print-directory -j$$(nproc) modules KVER=$$release KFLAGS='W=1 KCFLAGS=-Werror $(KFLAGS)' \
			>build/modules.log 2>&1 || { cat build/modules.log; exit 1; }; \
	done

.PHONY: tools
tools: ## build the command netguard into build/tools
	@tools/vm/setup build-essential $(TOOLS_PACKAGES)
	$(MAKE) -C tools/netguard O=$(CURDIR)/build/tools

.PHONY: demo
demo: kernels guest tools ## tell the incidents in a guest: what is broken, what netguard says, what mends it; PARTS= for some
	@tools/demo $(PARTS)

.PHONY: check
check: kernels guest tools ## run the tests; PARTS="lint vlansteal" for some, KERNELS=6.12 for one kernel
	@tools/check $(PARTS)

.PHONY: check-all
check-all: kernels guest tools ## all that check leaves out for its length, too: hours, see tools/README.md
	@tools/check --all $(PARTS)

.PHONY: selftests
selftests: kernels guest tools ## the kernel's own selftests, all that are listed, with the guards and without; KERNELS=
	@tools/check --all selftests

.PHONY: kunit
kunit: setup ## run the KUnit suites in a debug kernel, which is built once
	@tools/check kunit

.PHONY: coverage
coverage: setup guest tools ## which lines of modules/ KUnit and the incidents run, in a debug kernel
	@tools/check coverage

.PHONY: torture
torture: setup guest ## random operations, load cycles, failures and frames in a debug kernel; SEED=, OPS=, ... as in tools/README.md
	@tools/torture/run

.PHONY: mutants
mutants: setup kernels guest ## break the files that decide, a line at a time, and tell what nobody notices; FILES=, WAYS=, CASES=0
	@tools/mutants/run $(FILES)

.PHONY: lint
lint: setup ## checkpatch, sparse, W=1, coccicheck, kernel-doc, shellcheck, cppcheck, mandoc
	@tools/lint

# What the peers in make bench, and its chart, need besides.
BENCH_PACKAGES := clang gnuplot-nox iptables libbpf-dev

.PHONY: bench
bench: kernels guest tools ## count what a packet pays, in guests: table, build/bench/results.csv and .svg; SECTIONS=
	@tools/vm/setup $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build/guest/peers.bpf.o
	@tools/bench/run $(SECTIONS)

.PHONY: bench-record
bench-record: kernels guest ## record the five rows that make check compares, in tools/bench/recorded.csv
	@tools/bench/run --record

.PHONY: install
install: modules install-tools ## install the modules for KVER, their modprobe.d file, and the command
	install -D -m 644 -t /lib/modules/$(KVER)/updates $(BUILD)/modules/*.ko
	install -D -m 644 tools/packaging/modprobe.conf /etc/modprobe.d/netguard.conf
	depmod $(KVER)

.PHONY: install-tools
install-tools: tools ## install the command netguard, its manual pages and completion, below DESTDIR
	$(MAKE) -C tools/netguard O=$(CURDIR)/build/tools install

.PHONY: dkms-install
dkms-install: install-tools ## let DKMS build and install the modules, now and for every new kernel, and install the command
	@tools/vm/setup dkms
	install -D -m 644 tools/packaging/modprobe.conf /etc/modprobe.d/netguard.conf
	tools/packaging/dkms-install $(KVER)

.PHONY: deb
deb: ## build the Debian packages netguard-dkms and netguard-tools into build/deb
	@tools/vm/setup build-essential debhelper dh-dkms $(TOOLS_PACKAGES)
	tools/packaging/deb build/deb

.PHONY: clean
clean: ## remove build/; the caches outside the checkout stay
	rm -rf build

# Programs that guests run, static because a guest has few libraries.
GUEST_C := $(wildcard tools/incidents/*.d/*.c tools/torture/*.c tools/worlds/*.d/*.c) tools/bench/load.c
GUEST := $(foreach c,$(GUEST_C),build/guest/$(basename $(notdir $(c))))
ifneq ($(words $(GUEST)),$(words $(sort $(GUEST))))
$(error two programs for guests have one name: $(GUEST))
endif
vpath %.c $(sort $(dir $(GUEST_C)))
.PHONY: guest
guest: setup $(GUEST)

build/guest/peers.bpf.o: tools/bench/peers.bpf.c
	@mkdir -p $(@D)
	clang -O2 -g -Wall -Werror -target bpf -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<

build/guest/fuzz build/guest/traffic build/guest/oracle: tools/torture/frame.h tools/torture/rng.h
build/guest/operations: tools/torture/rng.h
# There is no static libmnl; tools/vm/boot brings the libraries along.
build/guest/hold: hold.c
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $< -lnetfilter_queue -lmnl
build/guest/%: %.c
	@mkdir -p $(@D)
	$(CC) -static -O2 -Wall -Wextra -Werror -o $@ $<
