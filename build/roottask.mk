# Root tasks for the kernel alone (tests/roottask/NAME) that stand on tests/roottask/runtime: seL4's ABI only, no C library, so they run on any
# kernel of this profile. $(call ROOTTASK,NAME,OUTPUT) makes OUTPUT from the folder's files. Included by test.mk, after kernel.mk.

RO := $(O)/roottask
ROOTTASK_CFLAGS := -std=c11 -O2 -g $(WARN) -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) -fno-pic -fno-pie \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-tree-loop-distribute-patterns -fno-omit-frame-pointer -Itests -Iabi -Ilib -I$(O)/gen -I$(O)/gen/abi
ROOTTASK_CFLAGS := $(if $(findstring clang,$(CC)),$(filter-out -fno-tree-loop-distribute-patterns,$(ROOTTASK_CFLAGS)),$(ROOTTASK_CFLAGS))

$(RO)/%.o: tests/roottask/%.c $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ROOTTASK_CFLAGS) -MMD -MP -c $< -o $@
$(RO)/%.o: tests/roottask/%.S
	@mkdir -p $(@D)
	$(Q)$(CC) $(ROOTTASK_CFLAGS) -D__ASSEMBLER__ -MMD -MP -c $< -o $@

ROOTTASK_OBJ = $(patsubst tests/roottask/%,$(RO)/%.o,$(basename $(wildcard tests/roottask/$(1)/*.c tests/roottask/$(1)/*.S)))
define ROOTTASK
$(2): $(call ROOTTASK_OBJ,$(1)) $(call ROOTTASK_OBJ,runtime) tests/roottask/runtime/roottask.lds
	@mkdir -p $$(@D)
	$(Q)$(CC) -nostdlib -static $(if $(findstring clang,$(CC)),,-no-pie) -Wl,-T,tests/roottask/runtime/roottask.lds -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -o $$@ $$(filter %.o,$$^)
-include $(patsubst %.o,%.d,$(call ROOTTASK_OBJ,$(1)) $(call ROOTTASK_OBJ,runtime))
endef

# Those that bench/bench.py runs.
IPC_TASK := $(O)/bench/ipc_task
$(eval $(call ROOTTASK,ipc_bench,$(IPC_TASK)))
FLAT_TASK := $(O)/bench/flat_task
$(eval $(call ROOTTASK,flat_bench,$(FLAT_TASK)))
.PHONY: bench-tasks
bench-tasks: $(IPC_TASK) $(FLAT_TASK)

# The one that bench/lock.py runs.
LOCK_TASK := $(O)/bench/lock_task
$(eval $(call ROOTTASK,lock_bench,$(LOCK_TASK)))
.PHONY: lock-task
lock-task: $(LOCK_TASK)

# The API, case by case: make conformance-task, then qemu-system-x86_64 ... -kernel insula-kernel -initrd THIS -device isa-debug-exit,iobase=0xf4,iosize=4
CONFORMANCE_TASK := $(O)/tests/conformance_task
$(eval $(call ROOTTASK,conformance,$(CONFORMANCE_TASK)))
.PHONY: conformance-task
conformance-task: $(CONFORMANCE_TASK)

# Insula's extensions, the same way.
EXT_TASK := $(O)/tests/ext_task
$(eval $(call ROOTTASK,ext,$(EXT_TASK)))
.PHONY: ext-task
ext-task: $(EXT_TASK)

# Random use of the kernel: tests/roottask/fuzz.
FUZZ_TASK := $(O)/tests/fuzz_task
$(eval $(call ROOTTASK,fuzz,$(FUZZ_TASK)))
# Several CPUs, case by case.
SMP_TASK := $(O)/tests/smp_task
$(eval $(call ROOTTASK,smp,$(SMP_TASK)))
.PHONY: smp-task
smp-task: $(SMP_TASK)

# Two threads that work while a test injects machine checks and NMIs.
MCE_TASK := $(O)/tests/mce_task
$(eval $(call ROOTTASK,mce,$(MCE_TASK)))

# Those with rules of their own.
ROOTTASKS := $(addprefix $(RO)/,hello entry vcpu)
$(ROOTTASKS): $(wildcard tests/roottask/*/*.[chS]) $(wildcard tests/roottask/*/*.lds)
	$(Q)$(MAKE) -s -C tests/roottask/$(@F) O=$(abspath $(RO)) CC=$(CC)
.PHONY: roottasks
roottasks: $(ROOTTASKS) $(CONFORMANCE_TASK) $(EXT_TASK) $(FUZZ_TASK) $(SMP_TASK) $(MCE_TASK)
