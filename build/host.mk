# Host tests: every x_test.c is one cmocka program, run under ASan and UBSan. It is linked with x.c
# beside it (if there is one) and with the files named in its `// links: a.c b.c` lines (paths from the root of the tree).

HO := $(O)/host
HOST_CC ?= $(CC)
HOST_TESTS := $(shell find lib kernel user servers proto hw -name '*_test.c')
HOST_BINS := $(patsubst %.c,$(HO)/%,$(HOST_TESTS))
HOST_CFLAGS := -std=c11 -D_GNU_SOURCE -DINSULA_HOST -O1 -g $(WARN) -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Ikernel -Iuser -Ilib -Iabi -Ihw -Iproto -I. -I$(O)/gen -I$(O)/gen/kernel -I$(O)/gen/abi -I$(O)/gen/lib -I$(O)/gen/proto

define HOST_RULE
$(HO)/$(1:%.c=%): $(1) $(wildcard $(1:%_test.c=%.c)) $(shell sed -n 's|^// links:||p' $(1)) $(GEN_H)
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(filter-out -l% -Wl%,$(shell sed -n 's|^// cflags:||p' $(1))) -MM -MP -MT $$@ $$(filter %.c,$$^) > $$@.d
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(shell sed -n 's|^// cflags:||p' $(1)) -o $$@ $$(filter %.c,$$^) -lcmocka
-include $(HO)/$(1:%.c=%).d

# What the compiler says of the same, without making a program of it.
$(HO)/$(1:%.c=%).checked: $(1) $(wildcard $(1:%_test.c=%.c)) $(shell sed -n 's|^// links:||p' $(1)) $(GEN_H)
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(filter-out -l% -Wl%,$(shell sed -n 's|^// cflags:||p' $(1))) -MM -MP -MT $$@ $$(filter %.c,$$^) > $$@.d
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(filter-out -l% -Wl%,$(shell sed -n 's|^// cflags:||p' $(1))) -fsyntax-only $$(filter %.c,$$^)
	$(Q)touch $$@
-include $(HO)/$(1:%.c=%).checked.d
endef
$(foreach t,$(HOST_TESTS),$(eval $(call HOST_RULE,$(t))))
.PHONY: host-tests host-check
host-tests: $(HOST_BINS)
host-check: $(HOST_BINS:%=%.checked)
