# Boot images: insula (unpacked, for qemu -kernel), insula.gz (for GRUB), insula-kernel (no archive), insula.iso,
# and what guests boot in tests and in `make run`: Debian's kernel as ELF, a small root file system.

IMG := $(O)/image
$(IMG)/insula: $(KO)/insula.elf $(UO)/archive.cpio image/mkelf32.py image/elf64.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) image/mkelf32.py --archive $(UO)/archive.cpio $(KO)/insula.elf $@
$(IMG)/insula.gz: $(IMG)/insula
	$(Q)gzip -9nc $< > $@
.PHONY: image
image: $(IMG)/insula $(IMG)/insula.gz $(KO)/insula-kernel

# Programs that run inside Linux guests: static, with musl.
GUEST_CC := $(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) -static -nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(MUSL_INC) \
	-fno-pie -no-pie -nostdlib -s
GUEST_LIBS := $(MUSL_LIB)/crt1.o $(MUSL_LIB)/libc.a $(shell $(CC) -print-libgcc-file-name)
$(IMG)/guest_work: $(wildcard image/initramfs/*.c) image/initramfs/guest_mixed.h
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) -o $@ $(filter %.c,$^) $(GUEST_LIBS)
$(IMG)/initrd: $(IMG)/guest_work image/initramfs/init image/initramfs/build.py image/cpio_archive.py
	$(Q)$(PYTHON) image/initramfs/build.py $@ $(IMG)/guest_work

# vmlinux: Debian's cloud kernel; vmlinux-dom0: the generic one, which can be an admin VM. Links into the cache.
$(IMG)/vmlinux $(IMG)/vmlinux-dom0: | image/debian.py
	@mkdir -p $(@D)
	$(Q)ln -sfn "$$($(PYTHON) image/debian.py --vmlinux $(if $(findstring dom0,$@),linux-image-amd64,linux-image-cloud-amd64))" $@
# Debian's cloud kernel as its package has it, for xl.
$(IMG)/vmlinuz: | image/debian.py
	@mkdir -p $(@D)
	$(Q)ln -sfn "$$($(PYTHON) image/debian.py --vmlinuz linux-image-cloud-amd64)" $@
.PHONY: guests
guests: $(IMG)/vmlinux $(IMG)/initrd

# `make run`: Debian's kernel and Xen tools as domain 0. `make run-domain`: one domain and Insula's monitor, as the ISO has it.
RUN_ADMIN ?= console=com1 com1=115200,8n1 dom0_mem=1024M
RUN_OPTIONS ?= console=com1 com1=115200,8n1 domain=debian,kernel=vmlinux,ramdisk=initrd,memory=512
RUN_CMDLINE ?= console=hvc0 quiet
.PHONY: setup run run-domain iso
setup:
	$(Q)build/setup
run: setup
	$(Q)$(MAKE) --no-print-directory $(IMG)/insula $(IMG)/vmlinux-dom0 $(IMG)/admin.initrd
	$(Q)$(PYTHON) image/run.py $(IMG)/insula --options "$(RUN_ADMIN)" \
		--module "$(IMG)/vmlinux-dom0=name=vmlinux $(RUN_CMDLINE)" --module "$(IMG)/admin.initrd=name=initrd"
run-domain: setup
	$(Q)$(MAKE) --no-print-directory $(IMG)/insula guests
	$(Q)$(PYTHON) image/run.py $(IMG)/insula --options "$(RUN_OPTIONS)" \
		--module "$(IMG)/vmlinux=name=vmlinux $(RUN_CMDLINE)" --module "$(IMG)/initrd=name=initrd"
$(IMG)/insula.iso: $(IMG)/insula.gz $(IMG)/vmlinux $(IMG)/initrd image/mkiso.py
	$(Q)$(PYTHON) image/mkiso.py $@ --kernel $(IMG)/insula.gz --options "$(RUN_OPTIONS)" \
		--module "$(IMG)/vmlinux=name=vmlinux $(RUN_CMDLINE)" --module "$(IMG)/initrd=name=initrd"
iso: setup
	$(Q)$(MAKE) --no-print-directory $(IMG)/insula.iso
	@echo "$(IMG)/insula.iso boots on BIOS and UEFI"
