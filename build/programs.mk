# What the programs that run on the host are made of. Each x_test.c (build/host.mk) and x_fuzz.c (build/fuzz.mk) says so itself:
#   // links: a.c b.c    the files that it is linked with, paths from the root of the tree
#   // cflags: -x        how it and they are compiled
#   // libs: -lx         the libraries of a fuzzer
# A file is compiled once for all programs that want it with the same flags.

HOST_TESTS := $(shell find lib kernel user servers proto hw -name '*_test.c')
FUZZ_SRC := $(shell find lib kernel user servers proto -name '*_fuzz.c')
# links of x_test.c += a.c b.c, and so on
$(shell mkdir -p $(O)/gen && grep -H '^// \(links\|cflags\|libs\):' $(HOST_TESTS) $(FUZZ_SRC) | \
	sed 's|^\([^:]*\):// \([a-z]*\):|\2_of_\1 +=|' > $(O)/gen/programs.mk)
include $(O)/gen/programs.mk

EMPTY :=
COMPILE_FLAGS = $(filter-out -l% -Wl%,$(cflags_of_$(1)))
# The folder of the objects with these flags.
FLAGS_NAME = with$(subst /,_,$(subst =,_,$(subst $(EMPTY) $(EMPTY),,$(COMPILE_FLAGS))))
# What x_test.c is made of: itself, x.c if there is one, and what it names.
SOURCES_OF_TEST = $(1) $(wildcard $(1:%_test.c=%.c)) $(links_of_$(1))
