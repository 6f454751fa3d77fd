# liblzma's headers, for the one file that uses them (lib/bzimage/bzimage_xz.c) in servers: musl's include folder does not have them, and nothing else
# of /usr/include may come with them. Included after user.mk.

LZMA_INC := $(UO)/lzma-include
$(shell mkdir -p $(LZMA_INC) && ln -sfn /usr/include/lzma.h $(LZMA_INC)/lzma.h && ln -sfn /usr/include/lzma $(LZMA_INC)/lzma)
$(UO)/lib/bzimage/bzimage_xz.o: USER_CFLAGS += -isystem $(LZMA_INC)
