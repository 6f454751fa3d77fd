# What needs a running system: the test payload, the scenarios (tests/system), the benchmark (bench/).
# `make test` is everything CI runs. TESTS="name name" chooses scenarios, JOBS how many machines at once.

TO := $(O)/tests
PAYLOAD_SRC := $(wildcard tests/guests/*.c tests/guests/*.S)
PAYLOAD_CFLAGS := -std=c11 -O2 -g $(WARN) -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(TO)/include \
	-fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none -D__XEN_INTERFACE_VERSION__=0x00040e00
PAYLOAD_OBJ := $(patsubst tests/guests/%,$(TO)/payload.o/%.o,$(basename $(PAYLOAD_SRC)))

# Xen's public headers without the rest of /usr/include.
$(TO)/include/xen:
	@mkdir -p $(@D)
	$(Q)ln -sfn /usr/include/xen $@
$(TO)/payload.o/%.o: tests/guests/%.c | $(TO)/include/xen
	@mkdir -p $(@D)
	$(Q)$(CC) $(PAYLOAD_CFLAGS) -MMD -MP -c $< -o $@
$(TO)/payload.o/%.o: tests/guests/%.S | $(TO)/include/xen
	@mkdir -p $(@D)
	$(Q)$(CC) $(PAYLOAD_CFLAGS) -D__ASSEMBLER__ -MMD -MP -c $< -o $@
$(TO)/payload: $(PAYLOAD_OBJ) tests/guests/payload.lds
	$(Q)$(CC) -nostdlib -static $(if $(findstring clang,$(CC)),,-no-pie) -Wl,-T,tests/guests/payload.lds -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -o $@ $(PAYLOAD_OBJ)
-include $(PAYLOAD_OBJ:.o=.d)

# Modules that are no kernels, or lie about themselves.
$(TO)/bad/.made: tests/guests/bad_modules.py image/elf64.py $(TO)/payload
	$(Q)$(PYTHON) tests/guests/bad_modules.py $(TO)/payload $(@D)
	$(Q)touch $@

include build/roottask.mk

.PHONY: payloads system-tests test fuzz-long bench bench-peer
payloads: $(TO)/payload $(TO)/bad/.made $(TO)/vchan $(TO)/leaves $(TO)/held $(IMG)/lvm.initrd
RUN_TESTS := INSULA_OUT=$(O) $(PYTHON) tests/system/run.py $(if $(JOBS),--jobs $(JOBS))
# Proofs: of all units, or of PROOFS="name name". prove-mutants: mistakes put into what is proved, each of which a proof has to find.
PROVE := INSULA_OUT=$(O) $(PYTHON) proofs/prove.py
.PHONY: prove prove-mutants
prove: setup
	$(Q)$(PROVE) $(PROOFS)
prove-mutants: setup
	$(Q)$(PROVE) --mutants $(PROOFS)
# Everything CI runs: both compilers without a warning (of the host tests clang makes no programs), the fuzzers for a short time, proofs, host tests, root tasks, scenarios.
FUZZ_SHORT ?= 3
test: setup
	$(Q)$(MAKE) --no-print-directory -j2 image guests $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd $(IMG)/libvirt.cpio payloads roottasks host-tests $(O)/bench/xen
	$(Q)$(MAKE) --no-print-directory $(IMG)/insula.iso
	$(Q)$(MAKE) --no-print-directory -j2 O=$(O)/clang CC=clang image payloads host-check
	$(Q)$(MAKE) --no-print-directory KBUILD=debug kernel
	$(Q)$(MAKE) --no-print-directory -j2 fuzz FUZZ_SECONDS=$(FUZZ_SHORT)
	$(Q)rm -f $(O)/proofs/results
	$(Q)$(if $(TESTS),:,$(PROVE) --results $(O)/proofs/results)
	$(Q)$(RUN_TESTS) --host $(O)/host --results $(O)/proofs/results $(TESTS)
system-tests: setup
	$(Q)$(MAKE) --no-print-directory image guests $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd $(IMG)/libvirt.cpio payloads roottasks $(IMG)/insula.iso $(O)/bench/xen
	$(Q)$(MAKE) --no-print-directory KBUILD=debug kernel
	$(Q)$(RUN_TESTS) $(TESTS)

# The scenarios of the admin VM that are about Xen's behaviour and not ours, with real Xen below the same files.
.PHONY: test-xen
test-xen: export INSULA_TEST_SLOWER ?= 4
test-xen: setup
	$(Q)$(MAKE) --no-print-directory guests payloads $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd $(IMG)/libvirt.cpio $(O)/bench/xen
	$(Q)$(RUN_TESTS) --on-xen $(TESTS)

# Random use of the kernel for long: FUZZ_STEPS invocations (tests/system/test_fuzz.py) of the debug kernel, which walks its invariants after
# each, and of the release kernel; each fuzzer for FUZZ_LONG seconds.
FUZZ_LONG ?= 300
fuzz-long: export FUZZ_STEPS ?= 1000000
fuzz-long: setup
	$(Q)$(MAKE) --no-print-directory kernel $(FUZZ_TASK)
	$(Q)$(MAKE) --no-print-directory KBUILD=debug kernel
	$(Q)$(RUN_TESTS) fuzz_debug fuzz_release fuzz_parallel
	$(Q)$(MAKE) --no-print-directory -j2 fuzz FUZZ_SECONDS=$(FUZZ_LONG)

# Hypercalls of guests at random for GUEST_FUZZ_SECONDS (tests/system/test_guest_fuzz.py).
GUEST_FUZZ_SECONDS ?= 600
.PHONY: guest-fuzz-long
guest-fuzz-long: setup
	$(Q)$(MAKE) --no-print-directory image payloads
	$(Q)GUEST_FUZZ_SECONDS=$(GUEST_FUZZ_SECONDS) $(RUN_TESTS) guest_fuzz

# Two domains under load for SOAK_SECONDS of the machine's time (tests/system/test_soak.py).
SOAK_SECONDS ?= 600
.PHONY: soak
soak: setup
	$(Q)$(MAKE) --no-print-directory image guests
	$(Q)INSULA_SOAK_SECONDS=$(SOAK_SECONDS) $(RUN_TESTS) soak_long

# As much as VCHAN_MIB says, each way over channels of libxenvchan (tests/system/test_vchan.py).
VCHAN_MIB ?= 1024
.PHONY: vchan-long
vchan-long: setup
	$(Q)$(MAKE) --no-print-directory image guests payloads $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd
	$(Q)VCHAN_MIB=$(VCHAN_MIB) $(RUN_TESTS) dom0_vchan

# 2^20 grants that are mapped at once, by GRANTS_MAPPERS domains (tests/system/test_grants.py).
GRANTS_MAPPERS ?= 4
.PHONY: grants-long
grants-long: setup
	$(Q)$(MAKE) --no-print-directory image guests payloads $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd
	$(Q)GRANTS_MAPPERS=$(GRANTS_MAPPERS) $(RUN_TESTS) dom0_many_grants

# A Linux guest from real Xen to Insula (tests/system/test_save_between.py).
.PHONY: streams-long
streams-long: setup
	$(Q)$(MAKE) --no-print-directory image guests payloads $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd $(O)/bench/xen
	$(Q)STREAMS_LONG=1 $(RUN_TESTS) save_linux_on_xen_restores_on_insula

# Both ends of a channel, for the domains.
$(TO)/vchan: tests/programs/vchan.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $< -lxenvchan

# What a domain 0 writes, held where the scenario finds it.
$(TO)/held: tests/programs/held.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<

# What CPUID says in a domain.
$(TO)/leaves: tests/programs/leaves.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -Os -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-pie \
		-nostdlib -static $(if $(findstring clang,$(CC)),,-no-pie) -Wl,-z,noseparate-code -Wl,--build-id=none -s -o $@ $<

# The benchmark's peer: an admin VM for real Xen, made of Debian packages.
XO := $(O)/bench
$(XO)/xen_free: bench/xen/xen_free.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $< -lxenctrl
TOOLS := build/test.mk image/xen_tools.py image/cpio_archive.py image/initramfs/build.py
ADMIN := $(TOOLS) image/admin/build.py image/admin/init $(wildcard image/admin/examples/*)
$(XO)/transfer: bench/xen/transfer.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<
$(XO)/wait_text: bench/xen/wait_text.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<
$(XO)/foreign: bench/xen/foreign.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -D__XEN_TOOLS__ -o $@ $< -lxenforeignmemory -lxencall
$(XO)/dom0.initrd: $(XO)/xen_free $(XO)/foreign $(XO)/wait_text $(XO)/transfer $(IMG)/guest_work $(TO)/payload $(IMG)/vmlinux $(IMG)/initrd $(IMG)/driver.initrd bench/xen/measure $(ADMIN)
	$(Q)$(PYTHON) image/admin/build.py $@ --program $(IMG)/guest_work --program $(XO)/xen_free --program $(XO)/foreign --program $(XO)/wait_text --program $(XO)/transfer \
		--program bench/xen/measure --file guest/payload=$(TO)/payload --file guest/vmlinux=$(IMG)/vmlinux --file guest/initrd=$(IMG)/initrd \
		--file guest/driver=$(IMG)/driver.initrd
# The admin VM of the scenarios and of `make run`.
$(IMG)/admin.initrd: $(IMG)/guest_work $(TO)/payload $(IMG)/initrd $(IMG)/driver.initrd $(IMG)/vmlinuz $(ADMIN)
	$(Q)$(PYTHON) image/admin/build.py $@ --disks --program $(IMG)/guest_work --file guest/payload=$(TO)/payload --file guest/initrd=$(IMG)/initrd \
		--file guest/driver=$(IMG)/driver.initrd --file guest/vmlinuz=$(IMG)/vmlinuz
# What is added to it where a scenario wants LVM.
$(IMG)/lvm.initrd: image/admin/lvm.py image/xen_tools.py image/cpio_archive.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) image/admin/lvm.py $@
# The root of a driver VM, whose kernel is the guests'.
$(IMG)/driver.initrd: image/driver/build.py image/driver/init $(TOOLS)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) image/driver/build.py $@
# libvirt for the admin VM, which the scenario that needs it puts before that one's root.
$(IMG)/libvirt.cpio: image/libvirt/build.py image/xen_tools.py image/cpio_archive.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) image/libvirt/build.py $@
$(XO)/xen: | image/debian.py
	@mkdir -p $(@D)
	$(Q)ln -sfn "$$($(PYTHON) image/debian.py --xen)" $@
$(XO)/instruction_count.so: bench/instruction_count.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -o $@ $<
BENCH_FILES := $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd $(XO)/dom0.initrd $(XO)/xen $(XO)/instruction_count.so
bench-peer: setup
	$(Q)$(MAKE) --no-print-directory guests payloads $(BENCH_FILES)
	$(Q)INSULA_OUT=$(O) $(PYTHON) bench/bench.py --peer-only
bench: setup
	$(Q)$(MAKE) --no-print-directory image kernel bench-tasks guests payloads $(BENCH_FILES)
	$(Q)INSULA_OUT=$(O) $(PYTHON) bench/bench.py
# What operations have of the kernel lock (docs/decisions/0009).
.PHONY: bench-lock
bench-lock: setup
	$(Q)$(MAKE) --no-print-directory kernel lock-task
	$(Q)INSULA_OUT=$(O) $(PYTHON) bench/lock.py
