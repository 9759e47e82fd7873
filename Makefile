# SPDX-License-Identifier: GPL-2.0
# For people. What is built, and how, is in Kbuild.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
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
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(BUILD) V=$(V) $(KFLAGS) modules

.PHONY: clean
clean: ## remove build/; the caches outside the checkout stay
	rm -rf build
