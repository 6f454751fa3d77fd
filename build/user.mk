# The servers: servers/NAME is one process. Each is linked statically from its own folder, user/
# (runtime), proto/ codecs, and the lib/ folders named in servers/NAME/libs, with musl for the C library.

SERVERS := $(notdir $(patsubst %/,%,$(dir $(wildcard servers/*/libs))))
UO := $(O)/user

MUSL_INC := /usr/include/x86_64-linux-musl
MUSL_LIB := /usr/lib/x86_64-linux-musl
USER_INC := -Iuser -Ilib -Iabi -Ihw -Iproto -I. -I$(O)/gen -I$(O)/gen/abi -I$(O)/gen/lib -I$(O)/gen/proto
USER_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(MUSL_INC) \
	-fno-pic -fno-pie -fno-strict-aliasing -fno-common -fno-stack-protector -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -march=x86-64 -fcf-protection=none $(USER_INC) -isystem $(UO)/xen-include -D__XEN_TOOLS__
# Xen's public headers come from Debian's libxen-dev; only that folder is made visible.
XEN_INC := $(UO)/xen-include
$(shell mkdir -p $(XEN_INC) && ln -sfn /usr/include/xen $(XEN_INC)/xen)

SRC_OF = $(filter-out %_test.c %_fuzz.c %_fake.c,$(shell find $(1) -name '*.c' -o -name '*.S'))
OBJ_OF = $(patsubst %,$(UO)/%.o,$(basename $(1)))

$(UO)/%.o: %.c $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP -c $< -o $@
$(UO)/%.o: %.S
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -D__ASSEMBLER__ -MMD -MP -c $< -o $@

USER_OBJ := $(call OBJ_OF,$(call SRC_OF,user))

define SERVER
$(1)_OBJ := $(call OBJ_OF,$(call SRC_OF,servers/$(1) $(addprefix lib/,$(shell grep -v '^#\|^-' servers/$(1)/libs))))
$(1)_LINK := $(shell grep '^-' servers/$(1)/libs)
$(UO)/$(1).elf: $$($(1)_OBJ) $(USER_OBJ) user/user.lds
	$(Q)$(CC) -nostdlib $(if $(findstring clang,$(CC)),,-no-pie) -static -Wl,-T,user/user.lds -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--gc-sections \
		-o $$@ $$($(1)_OBJ) $(USER_OBJ) $$($(1)_LINK) $(MUSL_LIB)/libc.a $(shell $(CC) -print-libgcc-file-name)
$(UO)/$(1): $(UO)/$(1).elf
	$(Q)objcopy --strip-all $$< $$@
-include $$($(1)_OBJ:.o=.d)
endef
$(foreach s,$(SERVERS),$(eval $(call SERVER,$(s))))
-include $(USER_OBJ:.o=.d)

# The servers' archive: a newc cpio with the root task first.
$(UO)/archive.cpio: $(addprefix $(UO)/,$(SERVERS))
	$(Q)cd $(UO) && printf '%s\n' root $(filter-out root,$(SERVERS)) | cpio --quiet -o -H newc --reproducible -R 0:0 > archive.cpio
.PHONY: servers
servers: $(UO)/archive.cpio

# xen/domctl.h includes hvm/save.h, which asks for GNU C's anonymous members.
$(UO)/servers/domain_manager/%.o: USER_CFLAGS += -std=gnu11
$(UO)/servers/vmm/load/cpu_record.o: USER_CFLAGS += -std=gnu11
