# Stubs of the seL4 API's invocations, generated from abi/sel4/invocations.txt; what the test of these stubs calls, from the table of the
# API (abi/sel4/invocation_table.txt) and the stubs' own text; and what compares the headers' numbers with abi/sel4/abi_table.txt. Included after
# gen.mk.

SEL4_GEN := $(O)/gen/sel4/invocations_gen.h
GEN_H    += $(SEL4_GEN) $(O)/gen/sel4/invocations_check_gen.h $(O)/gen/sel4/abi_check_gen.h

$(SEL4_GEN): abi/sel4/invocations.py abi/sel4/invocations.txt
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $^ > $@.tmp && mv $@.tmp $@
$(O)/gen/sel4/invocations_check_gen.h: abi/sel4/invocations_check.py abi/sel4/invocation_table.txt $(SEL4_GEN)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $^ > $@.tmp && mv $@.tmp $@
$(O)/gen/sel4/abi_check_gen.h: abi/sel4/abi_check.py abi/sel4/abi_table.txt abi/sel4/invocation_table.txt \
		abi/sel4/constants.h abi/sel4/types.h abi/sel4/bootinfo.h abi/sel4/fault.h
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $^ > $@.tmp && mv $@.tmp $@
