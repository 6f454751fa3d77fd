# Fuzzing: every x_fuzz.c is one libFuzzer program, built by clang under ASan and UBSan with the files and libraries that it names
# (build/programs.mk). `make fuzz` runs each for FUZZ_SECONDS on the seeds described in tests/corpus/<folder of
# x_fuzz.c>/*.seed (tests/corpus/seed.py says the syntax); other files there are taken as they are. What is found on the way is kept in
# build/out/fuzz/found, crashes too.

FUZZ_SECONDS ?= 20
FUZZ_CC ?= clang
FO := $(O)/fuzz
FUZZ_BINS := $(patsubst %.c,$(FO)/%,$(FUZZ_SRC))
FUZZ_CFLAGS := -std=c11 -D_GNU_SOURCE -DINSULA_HOST -O1 -g $(WARN) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-Ikernel -Iuser -Ilib -Iabi -Ihw -Iproto -I. -I$(O)/gen -I$(O)/gen/kernel -I$(O)/gen/lib -I$(O)/gen/proto
FUZZ_SEEDS := $(patsubst tests/corpus/%,$(FO)/corpus/%,$(basename $(wildcard tests/corpus/*/*.seed)) $(filter-out %.seed,$(wildcard tests/corpus/*/*)))

$(FO)/corpus/%: tests/corpus/%.seed tests/corpus/seed.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tests/corpus/seed.py $< > $@.tmp && mv $@.tmp $@

$(FO)/corpus/%: tests/corpus/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

FUZZ_OF = $(patsubst %.c,$(FO)/$(call FLAGS_NAME,$(1))/%,$(1) $(links_of_$(1)))
FUZZ_FILES := $(sort $(foreach f,$(FUZZ_SRC),$(call FUZZ_OF,$(f))))

# $(1): a fuzzer with these flags, the first of those that have the same.
define FUZZ_COMPILE_RULE
$(FO)/$(call FLAGS_NAME,$(1))/%.o: %.c | $(GEN_H)
	@mkdir -p $$(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(call COMPILE_FLAGS,$(1)) -MMD -MP -c -o $$@ $$<
FUZZ_RULE_OF_$(call FLAGS_NAME,$(1)) := there is one
endef
$(foreach f,$(FUZZ_SRC),$(if $(FUZZ_RULE_OF_$(call FLAGS_NAME,$(f))),,$(eval $(call FUZZ_COMPILE_RULE,$(f)))))
-include $(FUZZ_FILES:%=%.d)

define FUZZ_RULE
$(FO)/$(1:%.c=%): $(addsuffix .o,$(call FUZZ_OF,$(1)))
	@mkdir -p $$(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $$(cflags_of_$(1)) -o $$@ $$^ $$(libs_of_$(1))
.PHONY: fuzz/$(1:%_fuzz.c=%)
fuzz/$(1:%_fuzz.c=%): $(FO)/$(1:%.c=%) $(FUZZ_SEEDS)
	@mkdir -p $(FO)/found/$(1:%_fuzz.c=%) $(FO)/corpus/$(notdir $(patsubst %/,%,$(dir $(1))))
	$(Q)$(FO)/$(1:%.c=%) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=1 -print_final_stats=1 \
		-artifact_prefix=$(FO)/found/$(1:%_fuzz.c=%)/crash- $(FO)/found/$(1:%_fuzz.c=%) \
		$(FO)/corpus/$(notdir $(patsubst %/,%,$(dir $(1)))) \
		>$(FO)/$(1:%.c=%).log 2>&1 || { cat $(FO)/$(1:%.c=%).log; exit 1; }
	@sed -n 's|^stat::number_of_executed_units: *|fuzz $(1:%_fuzz.c=%): runs |p' $(FO)/$(1:%.c=%).log
endef
$(foreach f,$(FUZZ_SRC),$(eval $(call FUZZ_RULE,$(f))))
.PHONY: fuzz fuzz-build
fuzz-build: $(FUZZ_BINS)
fuzz: $(FUZZ_SRC:%_fuzz.c=fuzz/%)
