# Accessors generated from the layouts in *.fields (hw/fields.py says the syntax).
# x/y.fields -> $(O)/gen/x/y_fields.h, included as "x/y_fields.h".

FIELDS := $(shell find hw kernel lib proto -name '*.fields')
GEN_H  := $(patsubst %.fields,$(O)/gen/%_fields.h,$(FIELDS))

$(O)/gen/%_fields.h: %.fields hw/fields.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) hw/fields.py $< > $@.tmp && mv $@.tmp $@

# The stubs of the seL4 API.
GEN_H += $(O)/gen/abi/sel4/invocations_gen.h
$(O)/gen/abi/sel4/invocations_gen.h: abi/sel4/invocations.txt abi/sel4/invocations.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) abi/sel4/invocations.py $< > $@.tmp && mv $@.tmp $@
