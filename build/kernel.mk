# The kernel: kernel/**, with the pure code of lib/ that it uses. Built once for
# each of the twins: KBUILD=release (default) takes kernel/release, debug takes kernel/debug.

KBUILD ?= release
KO     := $(O)/kernel-$(KBUILD)
KERNEL_LIBS := acpi cmdline cpio elf fbtext font multiboot ranges rbtree

KERNEL_SKIP := $(if $(filter release,$(KBUILD)),kernel/debug/%,kernel/release/%)
KERNEL_C := $(filter-out %_test.c %_fuzz.c %_fake.c $(KERNEL_SKIP),$(shell find kernel -name '*.c')) \
            $(filter-out %_test.c %_fuzz.c %_fake.c,$(foreach l,$(KERNEL_LIBS),$(wildcard lib/$(l)/*.c)))
# kernel/debug/count.c stands before it.
KERNEL_WRAP_debug := -Wl,--wrap=invocation_decode
KERNEL_S := $(filter-out $(KERNEL_SKIP),$(shell find kernel -name '*.S'))
KERNEL_OBJ := $(KERNEL_C:%.c=$(KO)/%.o) $(KERNEL_S:%.S=$(KO)/%.o)

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Werror
KERNEL_INC := -Ikernel -Ilib -Iabi -Ihw -I. -I$(O)/gen -I$(O)/gen/kernel -I$(O)/gen/lib -I$(KO)/gen
KERNEL_CFLAGS := -std=c11 -O2 -g $(WARN) -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-strict-aliasing -fno-common \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	-fno-delete-null-pointer-checks -ffunction-sections -fdata-sections -fcf-protection=none $(KERNEL_INC)
# clang wants each; gcc knows -mno-* differently
KERNEL_CFLAGS += $(if $(findstring clang,$(CC)),-Wno-gnu-statement-expression,)

# The fast paths: every register counts, and what they refuse is jumped to.
$(addprefix $(KO)/kernel/api/,syscall.o fast_active.o fast_signal.o): private KERNEL_CFLAGS += -fomit-frame-pointer -foptimize-sibling-calls

$(KO)/%.o: %.c $(GEN_H) $(KO)/gen/asm_offsets.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@
$(KO)/%.o: %.S $(GEN_H) $(KO)/gen/asm_offsets.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -D__ASSEMBLER__ -MMD -MP -c $< -o $@

# Structure offsets for the assembler files: kernel/entry/asm_offsets.c.in is compiled to
# text and read back, so that no offset is ever typed by hand.
$(KO)/gen/asm_offsets.h: kernel/entry/asm_offsets.c.in $(GEN_H) $(shell find kernel -name '*.h')
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -x c -S $< -o $(KO)/gen/asm_offsets.s
	$(Q)sed -n 's/^[^#]*@@OFFSET \([A-Za-z0-9_]*\) \$$\{0,1\}\(-\{0,1\}[0-9]*\).*/#define \1 \2/p' $(KO)/gen/asm_offsets.s > $@.tmp
	$(Q)test -s $@.tmp && mv $@.tmp $@

# The compiler's own constants (version, commit) live in one file that is rebuilt when they change.
VERSION := $(shell cat VERSION)
$(KO)/insula.elf: $(KERNEL_OBJ) kernel/kernel.lds VERSION
	$(Q)echo 'const char kernel_version[]; const char kernel_version[] = "$(VERSION)";' | $(CC) $(KERNEL_CFLAGS) -x c -c - -o $(KO)/version.o
	$(Q)$(CC) -nostdlib -static -Wl,-T,kernel/kernel.lds -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments $(KERNEL_WRAP_$(KBUILD)) \
		-o $@ $(KERNEL_OBJ) $(KO)/version.o

# insula-kernel: no archive; its first boot module is the root task, as with seL4.
$(KO)/insula-kernel: $(KO)/insula.elf image/mkelf32.py
	$(Q)$(PYTHON) image/mkelf32.py $< $@
.PHONY: kernel
kernel: $(KO)/insula-kernel
-include $(KERNEL_OBJ:.o=.d)
