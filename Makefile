# Insula. `make run` builds and boots the system; `make test` is everything CI runs.
# The parts are in build/*.mk; outputs are in build/out (O=).

O      ?= build/out
CC     ?= gcc
ifeq ($(origin CC),default)
CC     := gcc
endif
PYTHON ?= python3
V      ?= 0
Q      := $(if $(filter 1,$(V)),,@)

.PHONY: all
all: image

include build/gen.mk
include build/sel4.mk
include build/kernel.mk
include build/user.mk
-include build/lzma.mk
-include build/font.mk
include build/image.mk
include build/programs.mk
include build/host.mk
include build/test.mk
-include build/fuzz.mk

.PHONY: clean
clean:
	rm -rf $(O)
