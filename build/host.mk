# Host tests: every x_test.c is one cmocka program, run under ASan and UBSan. It is linked with x.c
# beside it (if there is one) and with the files that it names (build/programs.mk).

HO := $(O)/host
HOST_CC ?= $(CC)
HOST_BINS := $(patsubst %.c,$(HO)/%,$(HOST_TESTS))
HOST_CFLAGS := -std=c11 -D_GNU_SOURCE -DINSULA_HOST -O1 -g $(WARN) -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Ikernel -Iuser -Ilib -Iabi -Ihw -Iproto -I. -I$(O)/gen -I$(O)/gen/kernel -I$(O)/gen/abi -I$(O)/gen/lib -I$(O)/gen/proto

HOST_OF = $(patsubst %.c,$(HO)/$(call FLAGS_NAME,$(1))/%,$(call SOURCES_OF_TEST,$(1)))
HOST_FILES := $(sort $(foreach t,$(HOST_TESTS),$(call HOST_OF,$(t))))

# $(1): a test with these flags, the first of those that have the same. x.checked: what the compiler says, without making anything of it.
define HOST_COMPILE_RULE
$(HO)/$(call FLAGS_NAME,$(1))/%.o: %.c | $(GEN_H)
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(call COMPILE_FLAGS,$(1)) -MMD -MP -c -o $$@ $$<
$(HO)/$(call FLAGS_NAME,$(1))/%.checked: %.c | $(GEN_H)
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(call COMPILE_FLAGS,$(1)) -MMD -MP -MT $$@ -MF $$@.d -fsyntax-only $$<
	$(Q)touch $$@
HOST_RULE_OF_$(call FLAGS_NAME,$(1)) := there is one
endef
$(foreach t,$(HOST_TESTS),$(if $(HOST_RULE_OF_$(call FLAGS_NAME,$(t))),,$(eval $(call HOST_COMPILE_RULE,$(t)))))

define HOST_LINK_RULE
$(1:%.c=$(HO)/%): $(addsuffix .o,$(call HOST_OF,$(1)))
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $$(cflags_of_$(1)) -o $$@ $$^ -lcmocka
endef
$(foreach t,$(HOST_TESTS),$(eval $(call HOST_LINK_RULE,$(t))))
-include $(HOST_FILES:%=%.d) $(HOST_FILES:%=%.checked.d)
.PHONY: host-tests host-check
host-tests: $(HOST_BINS)
host-check: $(HOST_FILES:%=%.checked)
